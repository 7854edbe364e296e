import { formatHits, judgeHits } from '../shared/comparison.js';
import { METHODS } from '../shared/methods.js';
import { readOptions } from '../shared/options.js';
import { chooseSettings, runExperiment } from './experiment.js';

const { quick, seed } = readOptions();
const results = runExperiment(METHODS, judgeHits, chooseSettings(quick, seed));

console.log(`${results.training} sentences for training, ${results.heldOut} held out`);
console.log(formatHits(results));
if (quick) console.log('One seed and few sentences: this run only shows that the example works.');
