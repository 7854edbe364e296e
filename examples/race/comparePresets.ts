import { readFileSync, writeFileSync } from 'node:fs';
import { startBackend } from '../digits/backend.js';
import { PIXELS, toRows } from '../digits/images.js';
import type { Transformer } from '../digits/transformer.js';
import { summarize } from '../shared/statistics.js';
import { formatTable } from '../shared/table.js';
import { chooseDigits, splitDigits } from './assets/digits.js';
import { encodeDigits } from './assets/encoding.js';
import { overlapsOf } from './page/overlap.js';
import { PRESETS, type PresetName } from './page/presets.js';
import { tableOf, withResults } from './report.js';
import type { Measured, Results } from './results.js';
import { answer } from './worker/answer.js';
import { createTeacher, openClassroom } from './worker/classroom.js';
import type { Recipe } from './worker/protocol.js';
import { Session } from './worker/session.js';
import { LAP } from './worker/settings.js';

/** The seed of the page. */
const SEED = 1;

// Trains a student for a lap with each preset, and writes results.json, from which the pages take
// their figures, and what the README says of them: npm run example:race:presets

await startBackend();
const { training, heldOut } = chooseDigits();
const weights = readFileSync(new URL('assets/teacher.bin', import.meta.url));
const teacher = createTeacher(new Float32Array(Uint8Array.from(weights).buffer));
const classroom = openClassroom(teacher, {
  training: encodeDigits(training),
  heldOut: encodeDigits(heldOut),
});
const { images } = classroom.heldOut;
const digits = Array.from(classroom.heldOut.labels, (_, index) =>
  toRows(images.subarray(index * PIXELS, (index + 1) * PIXELS)),
);
const teachersAttention = digits.map((pixels) => answer(teacher, pixels).attention);

const measured = PRESETS.map(({ name, recipe }): [PresetName, Measured] => {
  console.log(`training: ${name}`);
  return [name, measure(recipe)];
});
const results: Results = {
  facts: new Session(classroom, SEED, PRESETS[0]!.recipe).facts,
  teacherLabels: splitDigits().training.labels.length,
  students: Object.fromEntries(measured) as Results['students'],
};
console.log(formatTable(...tableOf(results)));
writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`);
const readme = new URL('README.md', import.meta.url);
writeFileSync(readme, withResults(readFileSync(readme, 'utf8'), results));

function measure(recipe: Recipe): Measured {
  const session = new Session(classroom, SEED, recipe);
  const start = overlapWithTeacher(session.student);
  for (;;) {
    if (session.isEvaluationDue) session.evaluate();
    if (session.step === LAP) break;
    session.advance();
  }
  const curve = session.snapshot.curve.map(({ step, accuracy, agreement }) => ({
    step,
    accuracy,
    agreement,
  }));
  const overlap = { start, end: overlapWithTeacher(session.student) };
  session.dispose();
  return { curve, overlap };
}

/** Returns the overlap of attention, averaged over heads and held-out images. */
function overlapWithTeacher(student: Transformer): number {
  const overlaps = digits.flatMap((pixels, index) =>
    overlapsOf(teachersAttention[index]!, answer(student, pixels).attention),
  );
  return summarize(overlaps).mean;
}
