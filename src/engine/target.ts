import type { FloatArray } from '../core/numeric.js';

/** Output buffer of a kernel's gradient: row r starts at index r × columns. */
export interface Target {
  readonly data: FloatArray;
  /** Factor of every derivative. */
  readonly scale: number;
  /** Whether to add to the numbers in `data`, instead of overwriting them. */
  readonly adds: boolean;
}

/** Writes the derivative of a row to the target, from index `offset` on. */
export function put({ data, scale, adds }: Target, offset: number, derivative: Float64Array): void {
  for (let j = 0; j < derivative.length; j++) {
    data[offset + j] = (adds ? data[offset + j]! : 0) + scale * derivative[j]!;
  }
}
