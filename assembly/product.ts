// Products of matrices that fit a cache, all in rows of whole vectors: C = A · B and C = A · Bᵀ.
//
// Both keep a block of C in registers while they run along the inner dimension, so that a number that was loaded is
// used two or four times.

import { broadcast, madd, splat, sum, VECTOR } from './lanes';

/** C[4 rows, 2 vectors] at `c` = Σ over k of A[row, k] · B[k, …]; strides in bytes. With fewer rows, the last again. */
// @ts-ignore: decorator
@inline
function block<T>(
  a: usize,
  b: usize,
  c: usize,
  inner: i32,
  aRow1: usize,
  aRow2: usize,
  aRow3: usize,
  bStride: usize,
  cRow1: usize,
  cRow2: usize,
  cRow3: usize,
  isWide: bool,
): void {
  // Not fused: V8's instruction overwrites a factor, and these are used more than once.
  const zero = splat<T>(0);
  let c00 = zero, c10 = zero, c20 = zero, c30 = zero;
  let c01 = zero, c11 = zero, c21 = zero, c31 = zero;
  for (let k = 0; k < inner; k++) {
    const left = v128.load(b);
    const a0 = broadcast<T>(a);
    const a1 = broadcast<T>(a + aRow1);
    const a2 = broadcast<T>(a + aRow2);
    const a3 = broadcast<T>(a + aRow3);
    c00 = v128.add<T>(c00, v128.mul<T>(a0, left));
    c10 = v128.add<T>(c10, v128.mul<T>(a1, left));
    c20 = v128.add<T>(c20, v128.mul<T>(a2, left));
    c30 = v128.add<T>(c30, v128.mul<T>(a3, left));
    if (isWide) {
      const right = v128.load(b, 16);
      c01 = v128.add<T>(c01, v128.mul<T>(a0, right));
      c11 = v128.add<T>(c11, v128.mul<T>(a1, right));
      c21 = v128.add<T>(c21, v128.mul<T>(a2, right));
      c31 = v128.add<T>(c31, v128.mul<T>(a3, right));
    }
    a += sizeof<T>();
    b += bStride;
  }
  v128.store(c, c00);
  v128.store(c + cRow1, c10);
  v128.store(c + cRow2, c20);
  v128.store(c + cRow3, c30);
  if (!isWide) return;
  v128.store(c, c01, 16);
  v128.store(c + cRow1, c11, 16);
  v128.store(c + cRow2, c21, 16);
  v128.store(c + cRow3, c31, 16);
}

/** C = A · B with A [rows × inner], B [inner × columns], C [rows × columns]; `columns` and strides in bytes. */
export function product<T>(
  a: usize,
  b: usize,
  c: usize,
  rows: i32,
  inner: i32,
  columns: usize,
  aStride: usize,
): void {
  for (let row = 0; row < rows; row += 4) {
    const left = rows - row - 1;
    const row1: usize = left > 0 ? 1 : 0;
    const row2: usize = left > 1 ? 2 : row1;
    const row3: usize = left > 2 ? 3 : row2;
    const aRow = a + (row as usize) * aStride;
    const cRow = c + (row as usize) * columns;
    let j: usize = 0;
    for (; j + 2 * VECTOR <= columns; j += 2 * VECTOR) {
      block<T>(
        aRow, b + j, cRow + j, inner, row1 * aStride, row2 * aStride, row3 * aStride, columns,
        row1 * columns, row2 * columns, row3 * columns, true,
      );
    }
    if (j < columns) {
      block<T>(
        aRow, b + j, cRow + j, inner, row1 * aStride, row2 * aStride, row3 * aStride, columns,
        row1 * columns, row2 * columns, row3 * columns, false,
      );
    }
  }
}

// @ts-ignore: decorator
@inline
function put<T>(pointer: usize, lanes: v128): void {
  store<T>(pointer, sum<T>(lanes) as T);
}

/** C = A · Bᵀ with A [rows × inner], B [columns × inner], C [rows × columns]; `inner` and `cStride` in bytes. */
export function productOfTransposed<T>(
  a: usize,
  b: usize,
  c: usize,
  rows: i32,
  inner: usize,
  columns: i32,
  cStride: usize,
): void {
  const zero = splat<T>(0);
  for (let row = 0; row < rows; row += 2) {
    const next: usize = row + 1 < rows ? 1 : 0;
    const a0 = a + (row as usize) * inner;
    const a1 = a0 + next * inner;
    const c0 = c + (row as usize) * cStride;
    const c1 = c0 + next * cStride;
    for (let column = 0; column < columns; column += 4) {
      const left = columns - column - 1;
      const two: usize = left > 0 ? 1 : 0;
      const three: usize = left > 1 ? 2 : two;
      const four: usize = left > 2 ? 3 : three;
      const b0 = b + (column as usize) * inner;
      const b1 = b0 + two * inner;
      const b2 = b0 + three * inner;
      const b3 = b0 + four * inner;
      let c00 = zero, c01 = zero, c02 = zero, c03 = zero;
      let c10 = zero, c11 = zero, c12 = zero, c13 = zero;
      for (let k: usize = 0; k < inner; k += VECTOR) {
        const x = v128.load(a0 + k);
        const y = v128.load(a1 + k);
        let z = v128.load(b0 + k);
        c00 = madd<T>(x, z, c00);
        c10 = madd<T>(y, z, c10);
        z = v128.load(b1 + k);
        c01 = madd<T>(x, z, c01);
        c11 = madd<T>(y, z, c11);
        z = v128.load(b2 + k);
        c02 = madd<T>(x, z, c02);
        c12 = madd<T>(y, z, c12);
        z = v128.load(b3 + k);
        c03 = madd<T>(x, z, c03);
        c13 = madd<T>(y, z, c13);
      }
      const j0 = (column as usize) * sizeof<T>();
      const j1 = j0 + two * sizeof<T>();
      const j2 = j0 + three * sizeof<T>();
      const j3 = j0 + four * sizeof<T>();
      put<T>(c0 + j0, c00);
      put<T>(c0 + j1, c01);
      put<T>(c0 + j2, c02);
      put<T>(c0 + j3, c03);
      put<T>(c1 + j0, c10);
      put<T>(c1 + j1, c11);
      put<T>(c1 + j2, c12);
      put<T>(c1 + j3, c13);
    }
  }
}
