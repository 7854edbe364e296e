// Products of matrices.

import { put, type Target } from '../../engine/target.js';
import type { Grid } from './grid.js';
import { addProductFast, multiplyFast, type Precision } from './productSimd.js';

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

/** A derivative as a product that has yet to be computed; no entry of b is beyond ±largest. */
export interface Derivative {
  readonly a: Grid;
  readonly b: Grid;
  readonly largest: number;
  readonly precision: Precision;
}

/** What no entry of a derivative is beyond. */
export function boundOf({ a, largest }: Derivative): number {
  let most = 0;
  for (let i = 0; i < a.rows; i++) {
    let sum = 0;
    for (let k = i * a.columns; k < (i + 1) * a.columns; k++) sum += Math.abs(a.data[k]!);
    most = Math.max(most, sum); // a NaN stays
  }
  return most * largest;
}

/** Puts the rows of a derivative into these rows of the target, straight from the kernel that multiplies. */
export function putProduct(
  target: Target,
  rows: readonly number[],
  { a, b, precision }: Derivative,
): void {
  const { data, scale, adds } = target;
  const { columns } = b;
  const done = multiplyFast(a, b, precision, false, (row, column, sums, from, length) => {
    const to = rows[row]! * columns + column;
    for (let j = 0; j < length; j++) {
      data[to + j] = (adds ? data[to + j]! : 0) + scale * sums[from + j]!;
    }
  });
  if (done) return;
  const sums = new Float64Array(rows.length * columns);
  addProduct(sums, a, b);
  for (const [i, row] of rows.entries()) {
    put(target, row * columns, sums.subarray(i * columns, (i + 1) * columns));
  }
}
