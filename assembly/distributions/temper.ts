// Scales a teacher with a temperature of its own to the student's temperature.

import { teacherFactor } from '../shared/call';
import { larger, largest, splat, VECTOR } from '../shared/lanes';

/**
 * Scales a copy of a teacher's row, so that its softmax at the student's temperature is the softmax
 * of the row at its own. The largest logit is subtracted first, so that only the distances of the
 * logits are rounded.
 */
export function temper<T>(row: usize, width: usize): void {
  const factor = teacherFactor();
  if (factor == 1) return;
  let top = splat<T>(-Infinity);
  for (let i: usize = 0; i < width; i += VECTOR) top = larger<T>(v128.load(row + i), top);
  const less = splat<T>(largest<T>(top));
  const times = splat<T>(factor);
  for (let i: usize = 0; i < width; i += VECTOR) {
    v128.store(row + i, v128.mul<T>(v128.sub<T>(v128.load(row + i), less), times));
  }
}
