import { writeFileSync } from 'node:fs';
import { startBackend } from '../../digits/backend.js';
import { trainTeacher } from '../../digits/pretraining.js';
import { SETTINGS } from '../worker/settings.js';
import { splitDigits } from './digits.js';

// Trains the demo's teacher and writes its weights into teacher.bin: npm run
// example:race:teacher

await startBackend();
const { training, heldOut } = splitDigits();
const teacher = trainTeacher(training, heldOut, SETTINGS);
writeFileSync(new URL('teacher.bin', import.meta.url), new Uint8Array(teacher.values.buffer));
