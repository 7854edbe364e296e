import { HiddenLayerStudent } from '../shared/hiddenLayerStudent.js';
import { countNgrams } from '../shared/ngrams.js';
import type { Random } from '../shared/random.js';
import type { Features } from '../shared/training.js';

const FEATURES = 1024;
/** Width of the student's hidden layer. */
export const UNITS = 32;

/**
 * Returns the features of a text: counts of characters and pairs of characters, scaled to mean
 * square 1, for which the initial weights are chosen.
 */
export function featuresOf(text: string): Features {
  const { indices, values } = countNgrams(text, 2, FEATURES);
  return { indices, values: values.map((value) => value * Math.sqrt(FEATURES)) };
}

export function createStudent(classes: number, random: Random): HiddenLayerStudent {
  return new HiddenLayerStudent(FEATURES, UNITS, classes, random);
}
