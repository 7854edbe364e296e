// Products of matrices, with sums in doubles.

import type { FloatArray } from '../numeric.js';
import { addProductFast } from './simd/product.js';

/** A matrix, or its transpose, as a view on an array. */
export interface Grid {
  readonly data: FloatArray;
  readonly rows: number;
  readonly columns: number;
  /** From one row, and one column, to the next; one of them is 1. */
  readonly rowStride: number;
  readonly columnStride: number;
}

export function grid(data: FloatArray, rows: number, columns: number): Grid {
  return { data, rows, columns, rowStride: columns, columnStride: 1 };
}

export function transpose({ data, rows, columns, rowStride, columnStride }: Grid): Grid {
  return { data, rows: columns, columns: rows, rowStride: columnStride, columnStride: rowStride };
}

/**
 * result += a · b, [a.rows × b.columns], in the number format of `format`: float32 in pieces whose sums are added up in
 * doubles.
 */
export function addProduct(result: Float64Array, a: Grid, b: Grid, format: FloatArray): void {
  if (addProductFast(result, a, b, format)) return;
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
