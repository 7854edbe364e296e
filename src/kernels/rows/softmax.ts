import type { FloatArray } from '../../core/numeric.js';
import { exponentials } from './exp.js';

/**
 * Writes log softmax(values) of one row to `log` and softmax(values) to `probability`. For
 * −Infinity they are −Infinity and exactly 0. A NaN, a +Infinity or a row of −Infinity makes every
 * element NaN.
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

/** Returns the largest element of a row; ignores NaN. */
export function largest(values: FloatArray, offset: number, columns: number): number {
  let max = -Infinity;
  for (let j = 0; j < columns; j++) {
    const value = values[offset + j]!;
    if (value > max) max = value;
  }
  return max;
}

/**
 * Adjoint of q = softmax(values): derivative += weight · d(loss) / d(values), for the slope d(loss)
 * / d(log q).
 *
 * Subtracting a multiple of q from the slope does not change the result. The multiple is chosen so
 * that the slope of the most likely class becomes 0. Otherwise the slope of a class with nearly all
 * of q would cancel in the sum.
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
