import type { FloatArray } from '../../core/numeric.js';
import { exponentials } from './exp.js';

/**
 * log softmax(values) of one row into `log`, and its exponential into `probability`. −Infinity
 * stays −Infinity and exactly 0; a NaN, a +Infinity or a row of −Infinity makes every entry NaN.
 */
export function softmax(
  values: FloatArray,
  offset: number,
  columns: number,
  log: Float64Array,
  probability: Float64Array,
): void {
  const max = largest(values, offset, columns);
  const sum = exponentials(values, offset, max, probability);
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
 * derivative += weight · d loss / d values, for the slope of a loss by log q and q =
 * softmax(values).
 *
 * It is the same for a slope less any multiple of q: here the one of which nothing is left at the
 * likeliest class. Else, where that has nearly all of q, its own slope would have to cancel in the
 * sum.
 */
export function addSoftmaxAdjoint(
  q: Float64Array,
  slope: Float64Array,
  weight: number,
  derivative: Float64Array,
): void {
  const top = q.indexOf(largest(q, 0, q.length));
  const multiple = top < 0 ? Number.NaN : slope[top]! / q[top]!;
  const rest = (j: number): number => (j === top ? 0 : slope[j]! - multiple * q[j]!);
  let sum = 0;
  for (let j = 0; j < q.length; j++) sum += rest(j);
  for (let j = 0; j < q.length; j++) derivative[j]! += weight * (rest(j) - q[j]! * sum);
}
