// A teacher with a temperature of its own.

import { teacherFactor } from '../shared/call';
import { larger, largest, splat, VECTOR } from '../shared/lanes';

/**
 * Turns a copy of a row of the teacher into logits that have, at the student's temperature, the
 * softmax that the row has at its own. Its largest logit goes first, so that the product is as
 * exact as the distances of the logits.
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
