// Products of matrices, sums = A · B or sums += A · B.
//
// Both factors are packed into panels: for each step along the inner dimension, two vectors of rows
// of A, or of columns of B. A tile of the product thus reads memory in order, and each loaded
// vector enters two or four products.

import {
  A_PANELS, ADDS_STEPS, B_PANELS, COLUMN_LINES, IS_GRAM, PANEL_BYTES, ROW_LINES, STEPS, SUMS, TILE, VECTOR_BYTES,
} from '../../src/engine/layout';
import { madd, splat } from '../shared/lanes';

const STEP: usize = PANEL_BYTES;

/** Number of rows of a tile. A tile has as many columns as a panel has lines. */
const ROWS = 4;

/**
 * Number of products in a run. A run is summed in float32, then its sum is added to the sum of the
 * runs before it. For the 256 steps of a panel, runs of 24 make the longest chain of float32
 * additions about as short as possible: 24 + 11.
 */
const RUN = 24;

/**
 * Writes the sum of `steps` products for each element of a tile, in the format of the factors.
 * `steps` is even.
 */
function multiplyTile<T>(a: usize, b: usize, sums: usize, steps: i32): void {
  const isDouble = sizeof<T>() == 8;
  const zero = splat<T>(0);
  let isFirst = true;
  while (steps > 0) {
    const run = sizeof<T>() == 8 ? steps : min(steps, RUN);
    steps -= run;
    let c00 = zero, c10 = zero, c20 = zero, c30 = zero;
    let c01 = zero, c11 = zero, c21 = zero, c31 = zero;
    const end = a + (run as usize) * STEP;
    while (a < end) {
      // Constant offsets cost no instruction.
      let left = v128.load(b);
      let right = v128.load(b, 16);
      let row = isDouble ? v128.load64_splat(a) : v128.load32_splat(a);
      c00 = madd<T>(row, left, c00);
      c01 = madd<T>(row, right, c01);
      row = isDouble ? v128.load64_splat(a, 8) : v128.load32_splat(a, 4);
      c10 = madd<T>(row, left, c10);
      c11 = madd<T>(row, right, c11);
      row = isDouble ? v128.load64_splat(a, 16) : v128.load32_splat(a, 8);
      c20 = madd<T>(row, left, c20);
      c21 = madd<T>(row, right, c21);
      row = isDouble ? v128.load64_splat(a, 24) : v128.load32_splat(a, 12);
      c30 = madd<T>(row, left, c30);
      c31 = madd<T>(row, right, c31);
      // The branch is never taken, but separates two steps. Without it, V8 loads the vectors of
      // both steps before it multiplies, and runs out of registers. Two steps per iteration save 5
      // % of the time.
      if (a == 0) break;
      left = v128.load(b, STEP);
      right = v128.load(b, STEP + 16);
      row = isDouble ? v128.load64_splat(a, 32) : v128.load32_splat(a, 32);
      c00 = madd<T>(row, left, c00);
      c01 = madd<T>(row, right, c01);
      row = isDouble ? v128.load64_splat(a, 40) : v128.load32_splat(a, 36);
      c10 = madd<T>(row, left, c10);
      c11 = madd<T>(row, right, c11);
      row = isDouble ? v128.load64_splat(a, 48) : v128.load32_splat(a, 40);
      c20 = madd<T>(row, left, c20);
      c21 = madd<T>(row, right, c21);
      row = isDouble ? v128.load64_splat(a, 56) : v128.load32_splat(a, 44);
      c30 = madd<T>(row, left, c30);
      c31 = madd<T>(row, right, c31);
      a += 2 * STEP;
      b += 2 * STEP;
    }
    if (!isFirst) {
      c00 = v128.add<T>(c00, v128.load(sums));
      c01 = v128.add<T>(c01, v128.load(sums, 16));
      c10 = v128.add<T>(c10, v128.load(sums, 32));
      c11 = v128.add<T>(c11, v128.load(sums, 48));
      c20 = v128.add<T>(c20, v128.load(sums, 64));
      c21 = v128.add<T>(c21, v128.load(sums, 80));
      c30 = v128.add<T>(c30, v128.load(sums, 96));
      c31 = v128.add<T>(c31, v128.load(sums, 112));
    }
    isFirst = false;
    v128.store(sums, c00);
    v128.store(sums, c01, 16);
    v128.store(sums, c10, 32);
    v128.store(sums, c11, 48);
    v128.store(sums, c20, 64);
    v128.store(sums, c21, 80);
    v128.store(sums, c30, 96);
    v128.store(sums, c31, 112);
  }
}

/** c = lanes, or c += lanes, in doubles. */
@inline
function putDoubles<T>(c: usize, lanes: v128, adds: bool): void {
  let low = sizeof<T>() == 8 ? lanes : f64x2.promote_low_f32x4(lanes);
  if (adds) low = f64x2.add(v128.load(c), low);
  v128.store(c, low);
  if (sizeof<T>() == 4) {
    let high = f64x2.promote_low_f32x4(v128.shuffle<i32>(lanes, lanes, 2, 3, 2, 3));
    if (adds) high = f64x2.add(v128.load(c, 16), high);
    v128.store(c, high, 16);
  }
}

/** Writes a tile to the doubles at c, whose rows are `stride` bytes apart. */
function putTile<T>(tile: usize, c: usize, stride: usize, adds: bool): void {
  const end = tile + ROWS * STEP;
  for (; tile < end; tile += STEP) {
    putDoubles<T>(c, v128.load(tile), adds);
    putDoubles<T>(c + (VECTOR_BYTES / sizeof<T>()) * 8, v128.load(tile, 16), adds);
    c += stride;
  }
}

/** sums = A · B or sums += A · B, see "The description of a product" in src/engine/layout.ts. */
export function product<T>(call: usize): void {
  const a = load<usize>(call, A_PANELS);
  let b = load<usize>(call, B_PANELS);
  const sums = load<usize>(call, SUMS);
  const tile = load<usize>(call, TILE);
  const rows = load<i32>(call, ROW_LINES);
  const columns = load<i32>(call, COLUMN_LINES);
  const steps = load<i32>(call, STEPS);
  const isGram = load<i32>(call, IS_GRAM) != 0;
  const adds = load<i32>(call, ADDS_STEPS) != 0;
  const lines = STEP / sizeof<T>() as i32;
  const panel = (steps as usize) * STEP;
  const stride = (columns as usize) * 8;
  for (let j = 0; j < columns; j += lines) {
    const last = isGram ? min(rows, j + lines) : rows;
    for (let i = 0; i < last; i += ROWS) {
      const within = (i % lines) * sizeof<T>();
      multiplyTile<T>(a + (i / lines as usize) * panel + within, b, tile, steps);
      putTile<T>(tile, sums + (i as usize) * stride + (j as usize) * 8, stride, adds);
    }
    b += panel;
  }
}

/** Transposes one vector of each of two lines (f64) or four lines (f32) into steps of a panel. */
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

/**
 * Packs panels of `lines` rows of `steps` numbers each, `stride` bytes apart; `lines` are whole
 * panels, `steps` whole vectors.
 */
export function packRows<T>(source: usize, stride: usize, target: usize, lines: i32, steps: i32): void {
  const line = (steps as usize) * sizeof<T>();
  const half = (VECTOR_BYTES / sizeof<T>()) * stride;
  const end = source + (lines as usize) * stride;
  for (; source < end; source += 2 * half) {
    for (let k: usize = 0; k < line; k += VECTOR_BYTES) {
      turn<T>(source + k, stride, target);
      turn<T>(source + half + k, stride, target + VECTOR_BYTES);
      target += (VECTOR_BYTES / sizeof<T>()) * STEP;
    }
  }
}

/**
 * Packs panels of `steps` rows, `stride` bytes apart, which hold one number for each line.
 */
export function packColumns<T>(source: usize, stride: usize, target: usize, lines: i32, steps: i32): void {
  const bytes = (lines as usize) * sizeof<T>();
  for (let panel: usize = 0; panel < bytes; panel += STEP) {
    let from = source + panel;
    for (let k = 0; k < steps; k++) {
      v128.store(target, v128.load(from));
      v128.store(target, v128.load(from, 16), 16);
      from += stride;
      target += STEP;
    }
  }
}
