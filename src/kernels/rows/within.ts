import type { FloatArray } from '../../core/numeric.js';

/** Whether every value is in ±limit; a NaN is not. */
export function isWithin(values: FloatArray, limit: number): boolean {
  for (let i = 0; i < values.length; i++) {
    if (!(Math.abs(values[i]!) <= limit)) return false;
  }
  return true;
}
