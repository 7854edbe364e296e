import type { FloatArray } from '../../core/numeric.js';
import { exponentials } from './exp.js';
import { largest } from './softmax.js';

/**
 * log Σ exp of a row from an offset on, as long as e; −Infinity where every entry is. Leaves each
 * exponential's share of the sum in `e`. A NaN makes it NaN.
 */
export function logSumExp(values: FloatArray, offset: number, e: Float64Array): number {
  const max = largest(values, offset, e.length);
  if (max === -Infinity) {
    e.fill(0);
    for (let j = 0; j < e.length; j++) {
      if (Number.isNaN(values[offset + j]!)) return Number.NaN; // `largest` passes it over
    }
    return max;
  }
  const sum = exponentials(values, offset, max, e);
  for (let j = 0; j < e.length; j++) e[j]! /= sum;
  return max + Math.log(sum);
}
