// Products of matrices.

import type { Grid } from './grid.js';
import { addProductFast } from './simd/product.js';

/**
 * result += a · b, [a.rows × b.columns]. In float32, a kernel sums up to 256 terms in that format, and those in doubles;
 * in JavaScript all is in doubles.
 */
export function addProduct(
  result: Float64Array,
  a: Grid,
  b: Grid,
  dtype: 'float32' | 'float64',
): void {
  if (addProductFast(result, a, b, dtype)) return;
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
