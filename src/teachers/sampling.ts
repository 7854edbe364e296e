import { checkNumber, checkOptions, checkPositive } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import { checkLogits } from '../core/probabilities.js';
import { Generator } from '../core/random.js';
import { exponentials } from '../kernels/rows/exp.js';
import { soften } from '../kernels/rows/soften.js';
import { largest } from '../kernels/rows/softmax.js';
import { packRows, type SparseRow, UNUSABLE_ROW } from './raggedRows.js';
import type { SparseTargetsOptions } from './sparseOptions.js';

/** Options of `SparseTargets.sample`. */
export interface SamplingOptions {
  /** Number of draws for each row, an integer in [1, 2^24]. */
  readonly samples: number;
  /**
   * An integer. The same seed gives the same draws on every machine. Use a different seed for each
   * batch: otherwise the draws of two batches are not independent.
   */
  readonly seed: number;
  /**
   * Temperature of the softmax. Pass the temperature of the strategy that reads the targets.
   *
   * @defaultValue 1
   */
  readonly temperature?: number | undefined;
}

/** Draws classes of each row; see `SparseTargets.sample`. */
export function drawTargets<T extends FloatArray>(
  operation: string,
  logits: Matrix<T>,
  options: SamplingOptions,
): SparseTargetsOptions<T> {
  checkLogits(operation, logits);
  checkOptions(operation, 'options', options, ['samples', 'seed', 'temperature']);
  const { samples, seed, temperature = 1 } = options;
  checkNumber(operation, 'samples', samples, 'be an integer in [1, 2^24]', isSampleCount);
  checkNumber(operation, 'seed', seed, 'be an integer', Number.isSafeInteger);
  checkPositive(operation, 'temperature', temperature);
  const { data, rows, columns, numeric } = logits;
  const sample = sampler(columns, samples, new Generator(seed));
  const x = new Float64Array(columns);
  const kept = Array.from({ length: rows }, (_, row) => {
    soften(data, row * columns, temperature, x);
    return sample(x);
  });
  return { ...packRows(kept, numeric), columns, temperature };
}

/** Whether a number of draws is an integer in [1, 2^24]; the draws of a row are held in memory. */
function isSampleCount(samples: number): boolean {
  return Number.isInteger(samples) && samples >= 1 && samples <= 2 ** 24;
}

/**
 * Returns a function that draws classes from softmax(x) with replacement, and keeps each drawn
 * class with its share of the draws. It returns an unusable row if softmax(x) is not defined.
 *
 * @param classes - number of classes of a row
 * @param samples - number of draws for each row
 */
function sampler(
  classes: number,
  samples: number,
  generator: Generator,
): (x: Float64Array) => SparseRow {
  const cumulative = new Float64Array(classes);
  const drawn = new Int32Array(samples);
  return (x) => {
    exponentials(x, 0, largest(x, 0, classes), cumulative);
    for (let j = 1; j < classes; j++) cumulative[j]! += cumulative[j - 1]!;
    const total = cumulative[classes - 1]!;
    if (Number.isNaN(total)) return UNUSABLE_ROW;
    for (let i = 0; i < samples; i++) drawn[i] = firstAbove(cumulative, total * draw(generator));
    return sharesOf(drawn.sort());
  };
}

/**
 * Draws a uniform number in [0, 1) with 53 random bits: with 32 bits, classes of probability below
 * 2⁻³² could never be drawn.
 */
function draw(generator: Generator): number {
  const high = generator.next();
  return high + Math.floor(generator.next() * 2 ** 21) / 2 ** 53;
}

/** The first index of an ascending array whose number is above `bound`; the last number must be. */
function firstAbove(ascending: Float64Array, bound: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! > bound) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Returns each drawn class once, with the logarithm of its share; `drawn` ascends. */
function sharesOf(drawn: Int32Array): SparseRow {
  const classes: number[] = [];
  const logProbabilities: number[] = [];
  let start = 0;
  for (let i = 1; i <= drawn.length; i++) {
    if (drawn[i] === drawn[start]) continue;
    classes.push(drawn[start]!);
    logProbabilities.push(Math.log((i - start) / drawn.length));
    start = i;
  }
  return { classes, logProbabilities, logTail: -Infinity };
}
