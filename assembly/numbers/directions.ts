// Losses of the directions of two rows, x / ‖x‖ and y / ‖y‖. The rows are features, or maps of them.

import {
  adds, columns, option, otherOption, softWeightOf, width,
} from '../distributions/call';
import { keep, take } from '../distributions/workspace';
import { madd, nmadd, splat, sum, VECTOR } from '../shared/lanes';
import { clear } from '../shared/stage';
import {
  beginNumbers, EXCESS, FACTOR, factorOf, LIMIT, RATIO, ROW_FACTOR, RULED_OUT, scratchRow, SIGN, teacherStride,
} from './call';
import { isZero, RUN } from './differences';
import { mapAdjoint, mapOf, narrow } from './maps';
import { close, gradientRow, open, outputRow, studentRow, teacherRow } from './rows';

// Rows of the workspace.
const FIRST: usize = 1;
const SECOND: usize = 2;

// What is made of the directions.
/** 1 − cos */
export const COSINE: i32 = 0;
/** The squared distance */
export const PATIENT: i32 = 1;
/** mean of the squared differences */
export const SQUARED: i32 = 2;
/** mean of the absolute differences */
export const ABSOLUTE: i32 = 3;

/** The floor of the norm of a map. */
const FLOOR: f64 = 1e-12;

let xSquares: f64 = 0;
let ySquares: f64 = 0;

function squaresOf<T>(x: usize, y: usize, bytes: usize): void {
  xSquares = 0;
  ySquares = 0;
  let i: usize = 0;
  while (i < bytes) {
    const end = min(i + RUN, bytes);
    let ofX = splat<T>(0);
    let ofY = splat<T>(0);
    for (; i < end; i += VECTOR) {
      const a = v128.load(x + i);
      const b = v128.load(y + i);
      ofX = madd<T>(a, a, ofX);
      ofY = madd<T>(b, b, ofY);
    }
    xSquares += sum<T>(ofX);
    ySquares += sum<T>(ofY);
  }
}

let along: f64 = 0;

/**
 * Writes w = y − k x, k = ‖y‖ / ‖x‖, or its signs, and returns Σ w², or Σ |w|; leaves Σ x · what is written in
 * {@link along}. `RATIO` and `EXCESS` sum to k: where k is near 1, so is the former 1, and y − x is exact.
 */
function compare<T>(isAbsolute: bool, x: usize, y: usize, to: usize, bytes: usize): f64 {
  const ratio = take<T>(RATIO);
  const excess = take<T>(EXCESS);
  const sign = take<T>(SIGN);
  const one = take<T>(LIMIT);
  let value: f64 = 0;
  along = 0;
  let i: usize = 0;
  while (i < bytes) {
    const end = min(i + RUN, bytes);
    let values = splat<T>(0);
    let products = splat<T>(0);
    for (; i < end; i += VECTOR) {
      const a = v128.load(x + i);
      const w = nmadd<T>(a, excess, nmadd<T>(a, ratio, v128.load(y + i)));
      let slope = w;
      if (isAbsolute) {
        slope = v128.or(v128.and(w, sign), v128.and(one, v128.ne<T>(w, splat<T>(0))));
      }
      values = madd<T>(w, slope, values);
      products = madd<T>(a, slope, products);
      v128.store(to + i, slope);
    }
    value += sum<T>(values);
    along += sum<T>(products);
  }
  return value;
}

/** to = FACTOR · to + ROW_FACTOR · x */
function finish<T>(x: usize, to: usize, bytes: usize): void {
  const factor = take<T>(FACTOR);
  const ofX = take<T>(ROW_FACTOR);
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    const ofSlope = madd<T>(v128.load(to + i), factor, splat<T>(0)); // no −0
    v128.store(to + i, madd<T>(v128.load(x + i), ofX, ofSlope));
  }
}

/**
 * The loss of two rows of whole vectors, of `length` numbers; writes its derivative by x, times `scale`. NaN where the
 * norms, at least `floor`, are beyond what the squares of the format can bear.
 */
function directionLoss<T>(
  kind: i32, x: usize, y: usize, to: usize, bytes: usize, length: i32, floor: f64, scale: f64,
): f64 {
  squaresOf<T>(x, y, bytes);
  const least = max(floor * floor, sizeof<T>() == 8 ? 1e-200 : 1e-24);
  const most = sizeof<T>() == 8 ? 1e200 : 1e24;
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
  keep<T>(RATIO, isNear ? 1 : k);
  keep<T>(EXCESS, isNear ? k - 1 : 0);
  const isAbsolute = kind == ABSOLUTE;
  keep<T>(LIMIT, 1);
  const value = compare<T>(isAbsolute, x, y, to, bytes);
  const xInverse = 1 / sqrt(xSquares);
  const yInverse = 1 / sqrt(ySquares);
  // The derivative is that by the direction, without what it has along x, divided by ‖x‖.
  let factor = -xInverse * scale;
  if (isAbsolute) factor *= share;
  else factor *= yInverse * (kind == COSINE ? 1 : kind == PATIENT ? 2 : 2 * share);
  keep<T>(FACTOR, factor);
  keep<T>(ROW_FACTOR, (-factor * along) / xSquares);
  finish<T>(x, to, bytes);
  if (isAbsolute) return value * yInverse * share;
  return (value / ySquares) * (kind == COSINE ? 0.5 : kind == PATIENT ? 1 : share);
}

/** Copies a row with 0 for what is ruled out on both sides. */
function copyAllowed<T>(row: usize, other: usize, to: usize, bytes: usize): void {
  const ruledOut = take<T>(RULED_OUT);
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    const a = v128.load(row + i);
    const isOut = v128.and(v128.eq<T>(a, ruledOut), v128.eq<T>(v128.load(other + i), ruledOut));
    v128.store(to + i, v128.andnot(a, isOut));
  }
}

/** Loss and gradient of the rows from `first` on. */
// @ts-ignore: decorator
@inline
export function directionsOf<T>(kind: i32, call: usize, workspace: usize, first: i32, count: i32): void {
  beginNumbers<T>(call, workspace);
  if (kind >= SQUARED && option > 0) {
    keep<f64>(SIGN, -0.0); // maps are doubles
    mapsOf<T>(kind, first, count);
  } else {
    rowsOf<T>(kind, first, count);
  }
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

/** Rows that are features: their channels are the option of the loss. */
function mapsOf<T>(kind: i32, first: i32, count: i32): void {
  const channels = option as i32;
  const length = columns / channels;
  const bytes = (length as usize) * sizeof<T>();
  const teacherChannels = (teacherStride / bytes) as i32;
  const mapWidth = ((length as usize) * 8 + 15) & ~15;
  const x = scratchRow(0);
  const y = x + mapWidth;
  const slopes = y + mapWidth;
  // A map is a mean over channels, which these sums are not.
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
