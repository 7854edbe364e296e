import type { FloatArray } from '../../core/numeric.js';
import { exponentials } from './exp.js';
import { largest } from './softmax.js';

/**
 * Returns log Σ exp of a row, which starts at an offset and is as long as `e`: −Infinity if every
 * element is, NaN if an element is. Writes each exponential's share of the sum to `e`.
 */
export function logSumExp(values: FloatArray, offset: number, e: Float64Array): number {
  const max = largest(values, offset, e.length);
  if (max === -Infinity) {
    e.fill(0);
    for (let j = 0; j < e.length; j++) {
      if (Number.isNaN(values[offset + j]!)) return Number.NaN; // `largest` ignores NaN
    }
    return max;
  }
  const sum = exponentials(values, offset, max, e);
  for (let j = 0; j < e.length; j++) e[j]! /= sum;
  return max + Math.log(sum);
}
