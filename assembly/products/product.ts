// Products of matrices, C += A · B, a block of each at a time.
//
// The factors come as panels: for each step k along the inner dimension, two vectors of A's rows, or of B's columns. So all
// that a tile of C reads stands in a row, and what was loaded is used two or four times.

import { broadcast, madd, splat, VECTOR } from '../shared/lanes';

/** Bytes of one step of a panel. */
const STEP: usize = 2 * VECTOR;

/** Rows of a tile of C; it is as many columns wide as a panel has. */
const ROWS = 4;

/** So many products are summed in the format of the factors before they are added to the doubles of C. */
const RUN = 32;

/** c += lanes, in doubles. */
// @ts-ignore: decorator
@inline
function addTo<T>(c: usize, left: v128, right: v128): void {
  if (sizeof<T>() == 8) {
    v128.store(c, f64x2.add(v128.load(c), left));
    v128.store(c, f64x2.add(v128.load(c, 16), right), 16);
  } else {
    v128.store(c, f64x2.add(v128.load(c), f64x2.promote_low_f32x4(left)));
    v128.store(c, f64x2.add(v128.load(c, 16), upper(left)), 16);
    v128.store(c, f64x2.add(v128.load(c, 32), f64x2.promote_low_f32x4(right)), 32);
    v128.store(c, f64x2.add(v128.load(c, 48), upper(right)), 48);
  }
}

// @ts-ignore: decorator
@inline
function upper(lanes: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(lanes, lanes, 2, 3, 2, 3));
}

/** Adds to a tile of C, whose rows are so many bytes apart, what `inner` steps of two panels make. */
function tile<T>(a: usize, b: usize, c: usize, inner: i32, stride: usize): void {
  const zero = splat<T>(0);
  while (inner > 0) {
    const run = sizeof<T>() == 8 ? inner : min(inner, RUN);
    inner -= run;
    let c00 = zero, c10 = zero, c20 = zero, c30 = zero;
    let c01 = zero, c11 = zero, c21 = zero, c31 = zero;
    const end = a + (run as usize) * STEP;
    while (a < end) {
      const left = v128.load(b);
      const right = v128.load(b, 16);
      let row = broadcast<T>(a);
      c00 = madd<T>(row, left, c00);
      c01 = madd<T>(row, right, c01);
      row = broadcast<T>(a + sizeof<T>());
      c10 = madd<T>(row, left, c10);
      c11 = madd<T>(row, right, c11);
      row = broadcast<T>(a + 2 * sizeof<T>());
      c20 = madd<T>(row, left, c20);
      c21 = madd<T>(row, right, c21);
      row = broadcast<T>(a + 3 * sizeof<T>());
      c30 = madd<T>(row, left, c30);
      c31 = madd<T>(row, right, c31);
      a += STEP;
      b += STEP;
    }
    addTo<T>(c, c00, c01);
    addTo<T>(c + stride, c10, c11);
    addTo<T>(c + 2 * stride, c20, c21);
    addTo<T>(c + 3 * stride, c30, c31);
  }
}

/**
 * C += A · B for panels of A [rows × inner] and B [inner × columns] and doubles of C [rows × columns], where rows and
 * columns are those of whole panels.
 *
 * @param isGram - whether C is symmetric, and what is below its diagonal may be left out
 */
export function product<T>(
  a: usize,
  b: usize,
  c: usize,
  rows: i32,
  inner: i32,
  columns: i32,
  isGram: bool,
): void {
  const lines = STEP / sizeof<T>() as i32;
  const panel = (inner as usize) * STEP;
  const stride = (columns as usize) * 8;
  for (let j = 0; j < columns; j += lines) {
    const last = isGram ? min(rows, j + lines) : rows;
    for (let i = 0; i < last; i += lines) {
      const at = c + (i as usize) * stride + (j as usize) * 8;
      const from = a + (i / lines as usize) * panel;
      tile<T>(from, b, at, inner, stride);
      if (sizeof<T>() == 4) tile<T>(from + VECTOR, b, at + ROWS * stride, inner, stride);
    }
    b += panel;
  }
}

/** Two vectors of each of two lines to two steps of a panel, or four of four. */
// @ts-ignore: decorator
@inline
function turn<T>(from: usize, line: usize, to: usize): void {
  if (sizeof<T>() == 8) {
    const x = v128.load(from);
    const y = v128.load(from + line);
    v128.store(to, v128.shuffle<i64>(x, y, 0, 2));
    v128.store(to, v128.shuffle<i64>(x, y, 1, 3), STEP);
  } else {
    const x = v128.load(from);
    const y = v128.load(from + line);
    const z = v128.load(from + 2 * line);
    const w = v128.load(from + 3 * line);
    const xy = v128.shuffle<i32>(x, y, 0, 4, 1, 5);
    const zw = v128.shuffle<i32>(z, w, 0, 4, 1, 5);
    v128.store(to, v128.shuffle<i64>(xy, zw, 0, 2));
    v128.store(to, v128.shuffle<i64>(xy, zw, 1, 3), STEP);
    const xyUpper = v128.shuffle<i32>(x, y, 2, 6, 3, 7);
    const zwUpper = v128.shuffle<i32>(z, w, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<i64>(xyUpper, zwUpper, 0, 2), 2 * STEP);
    v128.store(to, v128.shuffle<i64>(xyUpper, zwUpper, 1, 3), 3 * STEP);
  }
}

/** Makes panels of `lines` rows of `inner` numbers each, as many as whole panels and vectors have. */
export function packRows<T>(source: usize, target: usize, lines: i32, inner: i32): void {
  const line = (inner as usize) * sizeof<T>();
  const half = (VECTOR / sizeof<T>()) * line;
  const end = source + (lines as usize) * line;
  for (; source < end; source += 2 * half) {
    for (let k: usize = 0; k < line; k += VECTOR) {
      turn<T>(source + k, line, target);
      turn<T>(source + half + k, line, target + VECTOR);
      target += (VECTOR / sizeof<T>()) * STEP;
    }
  }
}

/** The same of `inner` rows that hold a number for each of the lines. */
export function packColumns<T>(source: usize, target: usize, lines: i32, inner: i32): void {
  const bytes = (lines as usize) * sizeof<T>();
  for (let panel: usize = 0; panel < bytes; panel += STEP) {
    let from = source + panel;
    for (let k = 0; k < inner; k++) {
      v128.store(target, v128.load(from));
      v128.store(target, v128.load(from, 16), 16);
      from += bytes;
      target += STEP;
    }
  }
}
