import { formatHits } from '../shared/comparison.js';
import { readOptions } from '../shared/options.js';
import { formatPercent } from '../shared/table.js';
import { chooseSettings, runExperiment } from './experiment.js';
import { METHODS } from './methods.js';

const { quick, seed } = readOptions();
const results = await runExperiment(METHODS, chooseSettings(quick, seed));

console.log(`${results.training} snippets for training, ${results.heldOut} held out`);
console.log(formatHits(results));
console.log(
  `Without its hidden layers, the teacher would give the same answer for ${formatPercent([results.sameWithoutHidden])} of the snippets.`,
);
if (quick)
  console.log('One seed, few files and few steps: this run only shows that the example works.');
