import { formatHits } from '../shared/comparison.js';
import { METHODS } from '../shared/methods.js';
import { readOptions } from '../shared/options.js';
import { Random } from '../shared/random.js';
import { drawLines } from './drawing.js';
import { chooseSettings, prepareLesson, runExperiment } from './experiment.js';
import { askTeacher } from './teacher.js';

const { quick, seed } = readOptions();
const settings = chooseSettings(quick, seed);
const lines = drawLines(settings.lines, new Random(seed, 'lines'));
const lesson = prepareLesson(lines, await askTeacher(lines));
const results = runExperiment(METHODS, lesson, settings);

console.log(`${results.training} frames for training, ${results.heldOut} held out, in other fonts`);
console.log(formatHits(results, 'held-out words read', "frames with the teacher's class"));
if (quick)
  console.log('One seed, few words and few steps: this run only shows that the example works.');
