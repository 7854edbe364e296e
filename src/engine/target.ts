import type { FloatArray } from '../core/numeric.js';

/** Where a kernel puts gradients: row r from r × columns on. */
export interface Target {
  readonly data: FloatArray;
  /** What every derivative is multiplied by. */
  readonly scale: number;
  /** Whether to add to what is there, or to overwrite it. */
  readonly adds: boolean;
}

/** Puts the derivative of a row into the target, from `offset` on. */
export function put({ data, scale, adds }: Target, offset: number, derivative: Float64Array): void {
  for (let j = 0; j < derivative.length; j++) {
    data[offset + j] = (adds ? data[offset + j]! : 0) + scale * derivative[j]!;
  }
}
