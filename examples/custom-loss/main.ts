import { chooseSettings, runExperiment } from '../languages/experiment.js';
import { readOptions } from '../shared/options.js';
import { Phase } from '../shared/progress.js';
import { formatPercent, formatTable } from '../shared/table.js';
import { LAWS } from './laws.js';
import { judge, METHODS } from './methods.js';

const { quick, seed } = readOptions();

const phase = new Phase('laws', LAWS.length);
LAWS.forEach((law, index) => {
  law.check();
  phase.update(index + 1);
});
phase.finish(`all ${LAWS.length} hold`);

const results = runExperiment(METHODS, judge, chooseSettings(quick, seed));

console.log(`${results.training} sentences for training, ${results.heldOut} held out`);
console.log(
  formatTable(
    ['loss of the student', "teacher's first", "pairs in the teacher's order"],
    results.students.map(({ method, scores }) => [
      method,
      formatPercent(scores.map(({ first }) => first)),
      formatPercent(scores.map(({ order }) => order)),
    ]),
  ),
);
if (quick) console.log('One seed and few sentences: this run only shows that the example works.');
