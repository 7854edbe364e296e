// Losses of the directions of two rows, x / ‖x‖ and y / ‖y‖. The rows are features, or their
// attention maps. Everything is computed in doubles, because the terms of the derivative nearly
// cancel if the directions are nearly equal or opposite.

import {
  adds, columns, option, otherOption, softWeightOf, teacherStride, width,
} from '../shared/call';
import { keep, take } from '../shared/workspace';
import { madd, nmadd, splat, sum, VECTOR } from '../shared/lanes';
import { clear } from '../shared/stage';
import {
  beginNumbers, EXCESS, FACTOR, factorOf, LIMIT, RATIO, ROW_FACTOR, RULED_OUT, scratchRow, SIGN,
} from './call';
import { isZero } from './differences';
import { loadPair, pairBytes, storePair } from './doublePairs';
import { mapAdjoint, mapOf, narrow } from './maps';
import { close, gradientRow, open, outputRow, studentRow, teacherRow } from './rows';

// Rows of the workspace.
const FIRST: usize = 1;
const SECOND: usize = 2;

// The losses of two directions.
/** 1 − cos */
export const COSINE: i32 = 0;
/** the squared distance */
export const PATIENT: i32 = 1;
/** mean of the squared differences */
export const SQUARED: i32 = 2;
/** mean of the absolute differences */
export const ABSOLUTE: i32 = 3;

/** Least norm by which a map is divided. */
const FLOOR: f64 = 1e-12;

let xSquares: f64 = 0;
let ySquares: f64 = 0;

function squaresOf<T>(x: usize, y: usize, bytes: usize): void {
  const zero = splat<f64>(0);
  let ofX = zero, ofY = zero, alsoX = zero, alsoY = zero;
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    const a = loadPair<T>(x + i);
    const b = loadPair<T>(y + i);
    ofX = madd<f64>(a, a, ofX);
    ofY = madd<f64>(b, b, ofY);
    if (sizeof<T>() == 4) {
      const c = loadPair<T>(x + i + pairBytes<T>());
      const d = loadPair<T>(y + i + pairBytes<T>());
      alsoX = madd<f64>(c, c, alsoX);
      alsoY = madd<f64>(d, d, alsoY);
    }
  }
  xSquares = sum<f64>(v128.add<f64>(ofX, alsoX));
  ySquares = sum<f64>(v128.add<f64>(ofY, alsoY));
}

/**
 * Returns the slope for w = y − k x with k = ‖y‖ / ‖x‖: w itself, or its sign. See `apart`.
 */
@inline
function slopeOf(isAbsolute: bool, w: v128, sign: v128, one: v128): v128 {
  if (!isAbsolute) return w;
  return v128.or(v128.and(w, sign), v128.and(one, v128.ne<f64>(w, splat<f64>(0))));
}

/**
 * Returns w = y − k x. k is the sum of `ratio` and `excess`: if k is near 1, `ratio` is 1, and y −
 * x is exact.
 */
@inline
function apart(x: v128, y: v128, ratio: v128, excess: v128): v128 {
  return nmadd<f64>(x, excess, nmadd<f64>(x, ratio, y));
}

let along: f64 = 0;

/** Returns Σ w² or Σ |w|; sets {@link along} to Σ x · slope. */
function compare<T>(isAbsolute: bool, x: usize, y: usize, bytes: usize): f64 {
  const ratio = take<f64>(RATIO), excess = take<f64>(EXCESS);
  const sign = take<f64>(SIGN), one = take<f64>(LIMIT);
  let values = splat<f64>(0);
  let products = values;
  for (let i: usize = 0; i < bytes; i += pairBytes<T>()) {
    const a = loadPair<T>(x + i);
    const w = apart(a, loadPair<T>(y + i), ratio, excess);
    const slope = slopeOf(isAbsolute, w, sign, one);
    values = madd<f64>(w, slope, values);
    products = madd<f64>(a, slope, products);
  }
  along = sum<f64>(products);
  return sum<f64>(values);
}

/** to = FACTOR · slope + ROW_FACTOR · x */
function finish<T>(isAbsolute: bool, x: usize, y: usize, to: usize, bytes: usize): void {
  const ratio = take<f64>(RATIO), excess = take<f64>(EXCESS);
  const sign = take<f64>(SIGN), one = take<f64>(LIMIT), zero = splat<f64>(0);
  const factor = take<f64>(FACTOR), ofX = take<f64>(ROW_FACTOR);
  for (let i: usize = 0; i < bytes; i += pairBytes<T>()) {
    const a = loadPair<T>(x + i);
    const slope = slopeOf(isAbsolute, apart(a, loadPair<T>(y + i), ratio, excess), sign, one);
    storePair<T>(to + i, madd<f64>(a, ofX, madd<f64>(slope, factor, zero))); // no −0
  }
}

/**
 * Returns the loss of two rows of `length` numbers, padded to whole vectors; writes its derivative
 * with respect to x, times `scale`. Returns NaN if a squared norm is too small or too large;
 * JavaScript then computes the row.
 */
function directionLoss<T>(
  kind: i32, x: usize, y: usize, to: usize, bytes: usize, length: i32, floor: f64, scale: f64,
): f64 {
  squaresOf<T>(x, y, bytes);
  // Below this squared norm, the derivative may overflow the number format.
  const least = max(floor * floor, sizeof<T>() == 8 ? 1e-200 : 1e-38);
  const most = 1e200;
  const share = 1 / (length as f64);
  if (!(min(xSquares, ySquares) > least && max(xSquares, ySquares) < most)) {
    const xIsZero = isZero<T>(x, bytes);
    const yIsZero = isZero<T>(y, bytes);
    const areZero = xIsZero && yIsZero;
    const isKnown = areZero || floor == 0 || max(xSquares, ySquares) > least;
    if (kind == ABSOLUTE || !(xIsZero || yIsZero) || !isKnown || !(xSquares + ySquares < most)) return NaN;
    clear(to, bytes);
    if (areZero && kind != COSINE) return 0;
    return kind == SQUARED ? share : 1;
  }
  const k = sqrt(ySquares / xSquares);
  const isNear = abs(k - 1) < 0.5;
  keep<f64>(RATIO, isNear ? 1 : k);
  keep<f64>(EXCESS, isNear ? k - 1 : 0);
  const isAbsolute = kind == ABSOLUTE;
  keep<f64>(LIMIT, 1);
  const value = compare<T>(isAbsolute, x, y, bytes);
  const xInverse = 1 / sqrt(xSquares);
  const yInverse = 1 / sqrt(ySquares);
  // The derivative with respect to x is the derivative with respect to the direction, less its
  // component along x, divided by ‖x‖.
  let factor = -xInverse * scale;
  if (isAbsolute) factor *= share;
  else factor *= yInverse * (kind == COSINE ? 1 : kind == PATIENT ? 2 : 2 * share);
  keep<f64>(FACTOR, factor);
  keep<f64>(ROW_FACTOR, (-factor * along) / xSquares);
  finish<T>(isAbsolute, x, y, to, bytes);
  if (isAbsolute) return value * yInverse * share;
  return (value / ySquares) * (kind == COSINE ? 0.5 : kind == PATIENT ? 1 : share);
}

/** Copies a row, with 0 for elements that are ruled out on both sides. */
function copyAllowed<T>(row: usize, other: usize, to: usize, bytes: usize): void {
  const ruledOut = take<T>(RULED_OUT);
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    const a = v128.load(row + i);
    const isOut = v128.and(v128.eq<T>(a, ruledOut), v128.eq<T>(v128.load(other + i), ruledOut));
    v128.store(to + i, v128.andnot(a, isOut));
  }
}

/** Computes loss and gradient of the rows from `first` on. */
@inline
export function directionsOf<T>(kind: i32, call: usize, workspace: usize, first: i32, count: i32): void {
  beginNumbers<T>(call, workspace);
  keep<f64>(SIGN, -0.0);
  if (kind >= SQUARED && option > 0) mapsOf<T>(kind, first, count);
  else rowsOf<T>(kind, first, count);
}

function rowsOf<T>(kind: i32, first: i32, count: i32): void {
  const isMasked = otherOption == -Infinity;
  for (let row = first; row < first + count; row++) {
    if (!open<T>(row, true, 0)) continue;
    let x = studentRow;
    let y = teacherRow;
    if (isMasked) {
      copyAllowed<T>(x, y, scratchRow(FIRST), width);
      copyAllowed<T>(y, x, scratchRow(SECOND), width);
      x = scratchRow(FIRST);
      y = scratchRow(SECOND);
    }
    const loss = directionLoss<T>(kind, x, y, outputRow, width, columns, 0, factorOf(row));
    close<T>(row, softWeightOf(row) * loss);
  }
}

/**
 * Computes losses of attention maps. The option of the loss is the number of the student's
 * channels.
 */
function mapsOf<T>(kind: i32, first: i32, count: i32): void {
  const channels = option as i32;
  const length = columns / channels;
  const bytes = (length as usize) * sizeof<T>();
  const teacherChannels = (teacherStride / bytes) as i32;
  const mapWidth = ((length as usize) * 8 + 15) & ~15;
  const x = scratchRow(0);
  const y = x + mapWidth;
  const slopes = y + mapWidth;
  // `mapOf` sums over channels. The attention map is their mean, so that its least norm is scaled.
  const floor = FLOOR * (max(channels, teacherChannels) as f64);
  for (let row = first; row < first + count; row++) {
    if (!open<T>(row, false, 0)) continue;
    mapOf<T>(studentRow, channels, bytes, x);
    mapOf<T>(teacherRow, teacherChannels, bytes, y);
    const loss = directionLoss<f64>(kind, x, y, slopes, mapWidth, length, floor, 2 * factorOf(row));
    if (isFinite(loss) && gradientRow) {
      narrow<T>(slopes, mapWidth);
      mapAdjoint<T>(studentRow, channels, bytes, slopes, gradientRow, adds);
    }
    close<T>(row, softWeightOf(row) * loss);
  }
}
