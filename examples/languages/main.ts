import { readOptions } from '../shared/options.js';
import { formatPercent, formatTable } from '../shared/table.js';
import { chooseSettings, runExperiment } from './experiment.js';
import { judge, METHODS } from './methods.js';

const { quick, seed } = readOptions();
const results = runExperiment(METHODS, judge, chooseSettings(quick, seed));

console.log(`${results.training} sentences to learn from, ${results.heldOut} held out`);
console.log(
  formatTable(
    ['model', 'held-out accuracy', 'agreement with teacher'],
    [
      ['teacher', formatPercent(results.teacher.map(({ accuracy }) => accuracy)), ''],
      ...results.students.map(({ method, scores }) => [
        method,
        formatPercent(scores.map(({ accuracy }) => accuracy)),
        formatPercent(scores.map(({ agreement }) => agreement)),
      ]),
    ],
  ),
);
if (quick) console.log('One seed and few sentences: this shows that it runs.');
