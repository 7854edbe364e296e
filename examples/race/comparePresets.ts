import { readFileSync } from 'node:fs';
import { startBackend } from '../digits/backend.js';
import { formatTable } from '../shared/table.js';
import { chooseDigits } from './assets/digits.js';
import { encodeDigits } from './assets/encoding.js';
import { PRESETS } from './page/presets.js';
import { createTeacher, openClassroom } from './worker/classroom.js';
import { Session } from './worker/session.js';
import { LAP } from './worker/settings.js';

const SEED = 1;
const POINTS = [100, 300, LAP];

// Trains a student for a lap with each preset, and prints its curve: npm run example:race:presets

await startBackend();
const { training, heldOut } = chooseDigits();
const weights = readFileSync(new URL('assets/teacher.bin', import.meta.url));
const model = createTeacher(new Float32Array(Uint8Array.from(weights).buffer));
const classroom = openClassroom(model, {
  training: encodeDigits(training),
  heldOut: encodeDigits(heldOut),
});
const rows = PRESETS.map(({ name, recipe }) => {
  const session = new Session(classroom, SEED, recipe);
  while (session.step < LAP) {
    session.advance();
    if (session.isEvaluationDue) session.evaluate();
  }
  const { curve } = session.snapshot;
  session.dispose();
  const points = curve.filter(({ step }) => POINTS.includes(step));
  return [
    name,
    ...points.map(({ accuracy }) => format(accuracy)),
    format(points.at(-1)!.agreement),
  ];
});
console.log(
  formatTable(
    ['preset', ...POINTS.map((step) => `right after ${step}`), 'agrees with the teacher'],
    rows,
  ),
);

function format(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}
