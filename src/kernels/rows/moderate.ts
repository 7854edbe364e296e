import type { FloatArray } from '../../core/numeric.js';
import { isModerateFast } from './moderateSimd.js';
import { isWithin } from './within.js';

/** Whether every value is finite and, in doubles, so small that no product of a few of them overflows: up to 1e247. */
export function isModerate(values: FloatArray): boolean {
  return isModerateFast(values) ?? isWithin(values, 1e247);
}
