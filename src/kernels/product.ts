// Products of matrices.

import type { Grid } from './grid.js';
import { addProductFast } from './simd/product.js';

/** The number format that products are computed in. */
export type Precision = 'float32' | 'float64';

/** That of the numbers themselves. */
export function precisionOf({ data }: Grid): Precision {
  return data.BYTES_PER_ELEMENT === 4 ? 'float32' : 'float64';
}

/**
 * result += a · b, [a.rows × b.columns], in doubles or, where a kernel computes and the numbers are not extreme, in runs of
 * 32 products in float32, the runs summed in doubles: off by some 3e-7 of Σ |a · b|, by 2e-6 at most, where the first of a run is so
 * much larger than the others that each is rounded away. It is twice as fast.
 */
export function addProduct(
  result: Float64Array,
  a: Grid,
  b: Grid,
  precision: Precision = 'float64',
): void {
  if (addProductFast(result, a, b, precision)) return;
  const { rows, columns: inner } = a;
  const { columns } = b;
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const value = a.data[i * a.rowStride + k * a.columnStride]!;
      const from = k * b.rowStride;
      for (let j = 0; j < columns; j++) {
        result[i * columns + j]! += value * b.data[from + j * b.columnStride]!;
      }
    }
  }
}
