import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readOptions } from '../shared/options.js';
import { startBackend } from './backend.js';
import { drawLearningCurves } from './chart.js';
import { CLASSES, split } from './data.js';
import { METHODS } from './methods.js';
import { readDigits } from './mnist.js';
import { trainTeacher } from './pretraining.js';
import { formatResults } from './report.js';
import type { Results } from './results.js';
import { chooseSettings } from './settings.js';
import { teachStudent } from './students.js';
import { recordTeacher } from './teacher.js';

async function main(): Promise<void> {
  const { quick, seed: firstSeed } = readOptions();
  const settings = chooseSettings(quick, firstSeed);

  await startBackend();
  const { training, heldOut } = split(readDigits(), settings.heldOut, firstSeed);
  console.log(
    `${training.labels.length} training images, ${CLASSES * settings.labelledPerClass} of them labelled for the students; ` +
      `${heldOut.labels.length} held out`,
  );

  const model = trainTeacher(training, heldOut, settings);
  const teacher = recordTeacher(model, training, heldOut);
  model.dispose();
  if (teacher.accuracy < 0.5) throw new Error('the teacher learned too little to teach students');
  const students = METHODS.map((method) => ({
    method: method.name,
    runs: settings.seeds.map((seed) =>
      teachStudent(method, seed, teacher, training, heldOut, settings),
    ),
  }));

  const results: Results = {
    settings,
    teacher: { parameters: teacher.parameters, accuracy: teacher.accuracy },
    students,
  };
  if (quick) {
    console.log(
      'One seed and a short training: this run shows that the demo works, not which method is better.',
    );
  }
  console.log(formatResults(results));

  // A quick run must not overwrite the results of a full one.
  const folder = fileURLToPath(new URL(quick ? 'results/quick' : 'results', import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(join(folder, 'learning-curves.svg'), await drawLearningCurves(results));
  console.log(`results.json and learning-curves.svg are in ${relative(process.cwd(), folder)}`);
}

// Without this handler, a rejected promise would print the source of the wasm backend.
main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
