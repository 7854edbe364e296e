import { readFileSync, writeFileSync } from 'node:fs';
import { startBackend } from '../../../examples/digits/backend.js';
import { chooseDigits } from '../../../examples/race/assets/digits.js';
import { encodeDigits } from '../../../examples/race/assets/encoding.js';
import { LABELS_ONLY, TEACHERS_ANSWERS } from '../../../examples/race/page/presets.js';
import { createTeacher, openClassroom } from '../../../examples/race/worker/classroom.js';
import type { Recipe } from '../../../examples/race/worker/protocol.js';
import { Session } from '../../../examples/race/worker/session.js';
import { SETTINGS } from '../../../examples/race/worker/settings.js';

// Runs a race as the page does, and records its curves for the home page: the part of the held-out
// digits that each student reads right.

await startBackend();
const weights = readFileSync(new URL('../../../examples/race/assets/teacher.bin', import.meta.url));
const { training, heldOut } = chooseDigits();
const classroom = openClassroom(createTeacher(new Float32Array(Uint8Array.from(weights).buffer)), {
  training: encodeDigits(training),
  heldOut: encodeDigits(heldOut),
});
const steps = SETTINGS.student.training.steps;

function curveOf(recipe: Recipe): (readonly [step: number, accuracy: number])[] {
  const session = new Session(classroom, 1, recipe);
  for (;;) {
    if (session.isEvaluationDue) session.evaluate();
    if (session.step === steps) break;
    session.advance();
  }
  return session.snapshot.curve.map(({ step, accuracy }) => [step, accuracy] as const);
}

const curves = { labels: curveOf(LABELS_ONLY), taught: curveOf(TEACHERS_ANSWERS) };
const file = new URL('../build/race.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(curves)}\n`);
