import type { FloatArray } from '../numeric.js';
import { divergence } from './divergence.js';
import { exponentials } from './exp.js';

/**
 * log softmax(values) of one row into `log`, and its exponential into `probability`.
 * −Infinity stays −Infinity and exactly 0; a NaN, a +Infinity or a row of −Infinity makes every entry NaN.
 */
export function softmax(
  values: FloatArray,
  offset: number,
  columns: number,
  log: Float64Array,
  probability: Float64Array,
): void {
  const max = largest(values, offset, columns);
  const sum = exponentials(values, offset, max, 1, probability);
  const logSum = Math.log(sum);
  const share = 1 / sum;
  for (let j = 0; j < columns; j++) {
    log[j] = values[offset + j]! - max - logSum;
    probability[j]! *= share;
  }
}

/** The largest of a row; a NaN is passed over. */
export function largest(values: FloatArray, offset: number, columns: number): number {
  let max = -Infinity;
  for (let j = 0; j < columns; j++) {
    const value = values[offset + j]!;
    if (value > max) max = value;
  }
  return max;
}

/**
 * KL(p ‖ q) of one row, where what one side rules out (log −Infinity) the other may rule out too, and only q's side
 * must not rule out alone: that makes it NaN or Infinity.
 */
export function kullbackLeibler(
  logP: Float64Array,
  p: Float64Array,
  logQ: Float64Array,
  q: Float64Array,
): number {
  let sum = 0;
  for (let j = 0; j < p.length; j++) sum += divergence(p[j]!, q[j]!, logQ[j]! - logP[j]!);
  return sum;
}
