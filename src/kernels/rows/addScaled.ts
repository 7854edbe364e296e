import type { FloatArray } from '../../core/numeric.js';

/** target[offset + j] += scale · values[j], for j < length. */
export function addScaled(
  target: FloatArray,
  offset: number,
  values: FloatArray,
  length: number,
  scale: number,
): void {
  for (let j = 0; j < length; j++) target[offset + j]! += scale * values[j]!;
}
