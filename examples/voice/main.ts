import { writeFileSync } from 'node:fs';
import { run } from '../shared/commandLine.js';
import { readOptions } from '../shared/options.js';
import { chooseSettings, runExperiment } from './experiment.js';
import { formatPublished, formatResults, writeTables } from './report.js';

/** The seed of the results in this folder. */
const PUBLISHED = 1;

await run(async () => {
  const { quick, seed } = readOptions();
  const { results, file } = await runExperiment(chooseSettings(quick, seed));
  console.log(formatResults(results));
  if (quick) {
    console.log('One seed, few scenes, a small student: this run only shows that it works.');
    console.log(formatPublished());
  } else if (seed === PUBLISHED) {
    const json = `${JSON.stringify(results, null, 2)}\n`;
    writeFileSync(new URL('results.json', import.meta.url), json);
    writeFileSync(new URL('student.bin', import.meta.url), file);
    writeTables(results);
  }
});
