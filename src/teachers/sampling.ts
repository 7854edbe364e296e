import type { Generator } from '../core/random.js';
import { exponentials } from '../kernels/rows/exp.js';
import { largest } from '../kernels/rows/softmax.js';
import { type SparseRow, UNUSABLE_ROW } from './raggedRows.js';

/** Options of `SparseTargets.sample`. */
export interface SamplingOptions {
  /** Number of draws for each row, an integer in [1, 2^24]. */
  readonly samples: number;
  /**
   * An integer; the same seed gives the same draws on every machine. Take another seed for each
   * batch: the draws of two batches are otherwise not independent.
   */
  readonly seed: number;
  /** Temperature of the softmax: the temperature of the strategy that reads the targets; 1. */
  readonly temperature?: number | undefined;
}

/** Whether a number of draws is an integer ≥ 1 whose draws fit in memory. */
export function isSampleCount(samples: number): boolean {
  return Number.isInteger(samples) && samples >= 1 && samples <= 2 ** 24;
}

/**
 * Makes a function that draws classes from softmax(x) with replacement, and keeps each class with
 * its share of the draws. Of logits that are no distribution, it makes an unusable row.
 *
 * @param classes - number of classes of a row
 */
export function sampler(
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
 * A uniform number in [0, 1) of 53 bits: 32 bits would never reach a class of probability below
 * 2⁻³².
 */
function draw(generator: Generator): number {
  const high = generator.next();
  return high + Math.floor(generator.next() * 2 ** 21) / 2 ** 53;
}

/** The first place in an ascending array where a number is above `bound`; the last number is. */
function firstAbove(ascending: Float64Array, bound: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! > bound) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Each of the classes, which ascend, with the log of its share. */
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
