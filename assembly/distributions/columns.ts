// Correlations of the columns of a batch, from the moments of p, q − p and q over all its rows.

import {
  BLOCK_BYTES, BLOCK_GAP, BLOCK_ROWS, EXCLUDED_ROW, MIN_BLOCK_ROWS,
} from '../../src/engine/layout';
import { madd, nmadd, splat, sum, VECTOR } from '../shared/lanes';
import { log } from '../shared/log';
import {
  begin, columns, isStaged, labelOf, option, otherOption, perColumn, standardizes, stride, student, teacher, temperature, width,
} from '../shared/call';
import { byDifference, byStudent, byTeacher, distance, relate } from './correlate';
import { distanceOf, placeRatio } from './ratio';
import { pSum, qSum, readRow } from './read';
import { copyIn } from '../shared/stage';
import { standardize } from '../shared/standardize';
import { temper } from './temper';
import { differenceOf } from './terms';
import {
  APART, GAP, INVERSE, keep, ps, Q_FACTOR, qs, REST, spare, students, take, teachers, selectRow, UNIT,
} from '../shared/workspace';

// The table holds doubles: the number of rows and a loss, then eight rows with one number for each
// column. These are the means of p, of c = q − p and of q, then Σ p², Σ p c, Σ c², Σ q² and Σ q p
// of p, c and q less their means. In the end three factors follow the means.
const FIRST_MOMENT: usize = 16;

/**
 * Writes p, q − p and q of a row, `side` bytes apart; returns false if they are not finite.
 */
function writeShares<T>(row: i32, to: usize, side: usize): bool {
  const offset = (row as usize) * stride;
  let s = student + offset;
  let t = teacher + offset;
  if (isStaged) {
    copyIn<T>(s, students, stride, width, -Infinity);
    copyIn<T>(t, teachers, stride, width, -Infinity);
    s = students;
    t = teachers;
  }
  if (standardizes) {
    standardize<T>(s, columns);
    standardize<T>(t, columns);
  }
  temper<T>(t, width);
  readRow<T>(false, s, t, width);
  if (!isFinite(qSum + pSum)) return false;
  placeRatio<T>(temperature, pSum / qSum, log(pSum / qSum));
  keep<T>(UNIT, 1 / pSum);
  const unit = take<T>(UNIT), factor = take<T>(Q_FACTOR);
  const apart = take<T>(APART), gap = take<T>(GAP), inverse = take<T>(INVERSE), rest = take<T>(REST);
  const fromQ = qs;
  const fromP = ps;
  let excess8 = splat<T>(0);
  for (let i: usize = 0; i < width; i += VECTOR) {
    const q = v128.mul<T>(v128.load(fromQ + i), factor);
    const p = v128.load(fromP + i);
    const d = distanceOf<T>(v128.load(s + i), v128.load(t + i), apart, gap, inverse, rest);
    const c = v128.mul<T>(differenceOf<T>(q, p, d), unit);
    excess8 = v128.add<T>(excess8, c);
    v128.store(to + i, v128.mul<T>(p, unit));
    v128.store(to + side + i, c);
    v128.store(to + 2 * side + i, v128.mul<T>(q, unit));
  }
  // Σ (q − p) should be 0. The rounding error of d, which is the same for every class, makes it
  // `excess`.
  const excess = splat<T>(sum<T>(excess8));
  for (let i: usize = 0; i < width; i += VECTOR) {
    const c = to + side + i;
    v128.store(c, nmadd<T>(v128.load(c + side), excess, v128.load(c)));
  }
  return true;
}

// Weights of the rows of a block relative to the rows before them.
let inverse: f64 = 0;
let share: f64 = 0;
let weight: f64 = 0;

/**
 * Updates the means of two columns by a block of rows. `first` holds the numbers of the first row
 * of the block, `beyond` the sum of (row − first row) over the other rows.
 */
@inline
function joinMeans(at: usize, first: v128, beyond: v128): v128 {
  const mean = v128.load(at);
  const step = v128.sub<f64>(madd<f64>(beyond, splat<f64>(inverse), first), mean);
  v128.store(at, madd<f64>(step, splat<f64>(share), mean));
  return step;
}

/** Updates Σ x y of two columns by Σ x y of a block of rows. */
@inline
function joinProducts(at: usize, products: v128, x: v128, y: v128, xStep: v128, yStep: v128): void {
  const own = nmadd<f64>(v128.mul<f64>(x, splat<f64>(inverse)), y, products);
  const between = madd<f64>(v128.mul<f64>(xStep, splat<f64>(weight)), yStep, own);
  v128.store(at, v128.add<f64>(v128.load(at), between));
}

/** Returns half of a vector as doubles. */
@inline
function half<T>(a: v128, isHigh: bool): v128 {
  if (sizeof<T>() == 8) return a;
  return f64x2.promote_low_f32x4(isHigh ? v128.shuffle<i32>(a, a, 2, 3, 2, 3) : a);
}

/** Adds the moments of a block of rows to the table. */
function addBlock<T>(block: usize, rows: i32): void {
  const between = width + BLOCK_GAP;
  const end = (rows as usize) * between;
  const side = (blockRows() as usize) * between;
  const each = (width / sizeof<T>()) * 8;
  const before = load<f64>(perColumn);
  const all = before + (rows as f64);
  inverse = 1 / (rows as f64);
  share = (rows as f64) / all;
  weight = before * share;
  store<f64>(perColumn, all);
  const zero = splat<T>(0);
  let at = perColumn + FIRST_MOMENT;
  for (let i: usize = 0; i < width; i += VECTOR) {
    const p0 = v128.load(block + i);
    const c0 = v128.load(block + side + i);
    const q0 = v128.load(block + 2 * side + i);
    let p = zero, c = zero, q = zero, pp = zero, pc = zero, cc = zero, qq = zero, qp = zero;
    for (let row = block + i + between; row < block + i + end; row += between) {
      const dp = v128.sub<T>(v128.load(row), p0);
      const dc = v128.sub<T>(v128.load(row + side), c0);
      const dq = v128.sub<T>(v128.load(row + 2 * side), q0);
      p = v128.add<T>(p, dp);
      c = v128.add<T>(c, dc);
      q = v128.add<T>(q, dq);
      pp = madd<T>(dp, dp, pp);
      pc = madd<T>(dp, dc, pc);
      cc = madd<T>(dc, dc, cc);
      qq = madd<T>(dq, dq, qq);
      qp = madd<T>(dq, dp, qp);
    }
    for (let part = 0; part < (8 / sizeof<T>()) as i32; part++) {
      const isHigh = part != 0;
      const hp = half<T>(p, isHigh), hc = half<T>(c, isHigh), hq = half<T>(q, isHigh);
      const pStep = joinMeans(at, half<T>(p0, isHigh), hp);
      const cStep = joinMeans(at + each, half<T>(c0, isHigh), hc);
      const qStep = joinMeans(at + 2 * each, half<T>(q0, isHigh), hq);
      const to = at + 3 * each;
      joinProducts(to, half<T>(pp, isHigh), hp, hp, pStep, pStep);
      joinProducts(to + each, half<T>(pc, isHigh), hp, hc, pStep, cStep);
      joinProducts(to + 2 * each, half<T>(cc, isHigh), hc, hc, cStep, cStep);
      joinProducts(to + 3 * each, half<T>(qq, isHigh), hq, hq, qStep, qStep);
      joinProducts(to + 4 * each, half<T>(qp, isHigh), hq, hp, qStep, pStep);
      at += VECTOR;
    }
  }
}

/**
 * Turns the products of every column into factors of the slopes, times a weight. Returns weight × Σ
 * (1 − ρ).
 */
function relateColumns<T>(weight: f64): f64 {
  const each = (width / sizeof<T>()) * 8;
  let total: f64 = 0;
  for (let j: usize = 0; j < (columns as usize); j++) {
    const at = perColumn + FIRST_MOMENT + 3 * each + 8 * j;
    const more = at + 3 * each;
    relate(load<f64>(at), load<f64>(at + each), load<f64>(at + 2 * each), load<f64>(more), load<f64>(more + each), 0);
    store<f64>(at, weight * byTeacher);
    store<f64>(at + each, weight * byDifference);
    store<f64>(at + 2 * each, weight * byStudent);
    total += distance;
  }
  return weight * total;
}

/** Returns the number of rows of a block. */
function blockRows(): i32 {
  return min(max((BLOCK_BYTES / width) as i32, MIN_BLOCK_ROWS), BLOCK_ROWS);
}

/**
 * Adds the moments of the rows from `first` on to the table. A row that is not finite makes the
 * number of rows NaN. Once the table has all rows, whose number is the first option, its products
 * become factors of the derivative, times the second option.
 */
export function correlateColumnsOf<T>(call: usize, workspace: usize, first: i32, rows: i32): void {
  begin<T>(call, workspace);
  selectRow(0);
  const most = blockRows();
  const between = width + BLOCK_GAP;
  const block = spare;
  let n = 0;
  for (let row = first; row < first + rows; row++) {
    if (labelOf(row) == EXCLUDED_ROW) continue;
    if (!writeShares<T>(row, block + (n as usize) * between, (most as usize) * between)) {
      store<f64>(perColumn, NaN);
      continue;
    }
    if (++n < most) continue;
    addBlock<T>(block, n);
    n = 0;
  }
  if (n > 0) addBlock<T>(block, n);
  if (load<f64>(perColumn) == option) store<f64>(perColumn, relateColumns<T>(otherOption), 8);
}
