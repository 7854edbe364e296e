// Operations on float32 rows before and after products, computed in doubles.

import { VECTOR_BYTES } from '../../src/engine/layout';

@inline
function upper(lanes: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(lanes, lanes, 2, 3, 2, 3));
}

/**
 * Writes x · y for each of `lines` rows. A row has `bytes` bytes, which are whole vectors.
 */
export function dots(x: usize, y: usize, target: usize, lines: i32, bytes: usize): void {
  const end = target + ((lines as usize) << 3);
  for (; target < end; target += 8) {
    let sum = f64x2.splat(0);
    let other = f64x2.splat(0);
    const rowEnd = x + bytes;
    for (; x < rowEnd; x += VECTOR_BYTES) {
      const a = v128.load(x);
      const b = v128.load(y);
      sum = f64x2.add(sum, f64x2.mul(f64x2.promote_low_f32x4(a), f64x2.promote_low_f32x4(b)));
      other = f64x2.add(other, f64x2.mul(upper(a), upper(b)));
      y += VECTOR_BYTES;
    }
    sum = f64x2.add(sum, other);
    store<f64>(target, f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
  }
}

/**
 * Converts scale × doubles to float32, in place, up to the address `end`. The number of doubles is
 * a multiple of four.
 */
export function scaled(pointer: usize, end: usize, scale: f64): void {
  const factor = f64x2.splat(scale);
  let to = pointer;
  for (; pointer < end; pointer += 2 * VECTOR_BYTES) {
    const low = f32x4.demote_f64x2_zero(f64x2.mul(v128.load(pointer), factor));
    const high = f32x4.demote_f64x2_zero(f64x2.mul(v128.load(pointer, 16), factor));
    v128.store(to, v128.shuffle<i64>(low, high, 0, 2));
    to += VECTOR_BYTES;
  }
}

/**
 * sums += factor × a row of float32, up to the address `end`. The number of sums is a multiple of
 * four.
 */
export function addRow(sums: usize, end: usize, row: usize, factor: f64): void {
  const factors = f64x2.splat(factor);
  for (; sums < end; sums += 2 * VECTOR_BYTES) {
    const x = v128.load(row);
    const low = f64x2.mul(factors, f64x2.promote_low_f32x4(x));
    const high = f64x2.mul(factors, upper(x));
    v128.store(sums, f64x2.add(v128.load(sums), low));
    v128.store(sums, f64x2.add(v128.load(sums, 16), high), 16);
    row += VECTOR_BYTES;
  }
}

/**
 * Subtracts a float32 row from each of `lines` rows. A row has `bytes` bytes, which are whole
 * vectors.
 */
export function subtractRow(rows: usize, row: usize, lines: i32, bytes: usize): void {
  for (let i = 0; i < lines; i++) {
    for (let k: usize = 0; k < bytes; k += VECTOR_BYTES) {
      v128.store(rows + k, f32x4.sub(v128.load(rows + k), v128.load(row + k)));
    }
    rows += bytes;
  }
}

@inline
function demote(low: v128, high: v128): v128 {
  return v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/**
 * Replaces rows x by δ = x − y − shift and rows y by m = (x + y) / 2 − middle, rounded once to
 * float32. The rows shift and middle are at the address `subtrahends`. A row has `bytes` bytes,
 * which are whole vectors. Writes δ · δ and δ · m of each row, in doubles.
 */
export function differ(x: usize, y: usize, sums: usize, lines: i32, bytes: usize, subtrahends: usize): void {
  const half = f64x2.splat(0.5);
  const end = sums + ((lines as usize) << 4);
  for (; sums < end; sums += VECTOR_BYTES) {
    let squares = f64x2.splat(0);
    let dots = f64x2.splat(0);
    for (let k: usize = 0; k < bytes; k += VECTOR_BYTES) {
      const a = v128.load(x + k);
      const b = v128.load(y + k);
      let row = v128.load(subtrahends + k);
      let p = f64x2.promote_low_f32x4(a);
      let q = f64x2.promote_low_f32x4(b);
      const low = f64x2.sub(f64x2.sub(p, q), f64x2.promote_low_f32x4(row));
      const lowSum = f64x2.add(p, q);
      p = upper(a);
      q = upper(b);
      const high = f64x2.sub(f64x2.sub(p, q), upper(row));
      row = v128.load(subtrahends + bytes + k);
      const lowMiddle = f64x2.sub(f64x2.mul(half, lowSum), f64x2.promote_low_f32x4(row));
      const highMiddle = f64x2.sub(f64x2.mul(half, f64x2.add(p, q)), upper(row));
      v128.store(x + k, demote(low, high));
      v128.store(y + k, demote(lowMiddle, highMiddle));
      squares = f64x2.add(squares, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)));
      dots = f64x2.add(dots, f64x2.add(f64x2.mul(low, lowMiddle), f64x2.mul(high, highMiddle)));
    }
    store<f64>(sums, f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1));
    store<f64>(sums, f64x2.extract_lane(dots, 0) + f64x2.extract_lane(dots, 1), 8);
    x += bytes;
    y += bytes;
  }
}
