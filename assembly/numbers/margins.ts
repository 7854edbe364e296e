// Compares the margins by which the first column is ahead of the others. Margins are computed in
// doubles, because the difference of two similar scores loses digits.

import { softWeightOf, width } from '../shared/call';
import { keep, ONE, take } from '../shared/workspace';
import { madd, splat, sum } from '../shared/lanes';
import { loadPair, pairBytes, storePair } from './doublePairs';
import { beginNumbers, FACTOR, factorOf, LIMIT, RULED_OUT } from './call';
import { close, open, outputRow, studentRow, teacherRow } from './rows';

/** All ones in the lanes of candidates that are not ruled out on both sides. */
@inline
function isThere(x: v128, y: v128): v128 {
  const ruledOut = take<f64>(RULED_OUT);
  return v128.or(v128.ne<f64>(x, ruledOut), v128.ne<f64>(y, ruledOut));
}

/** Returns (xⱼ − yⱼ) − (x₀ − y₀), the difference of the margins of both sides; 0 if ruled out. */
@inline
function gapOf(x: v128, y: v128, lead: v128): v128 {
  return v128.and(v128.sub<f64>(v128.sub<f64>(x, y), lead), isThere(x, y));
}

let candidates: f64 = 0;
let gaps: f64 = 0;

/**
 * Returns the sum of the squared gaps; sets `gaps` to the sum of the gaps and `candidates` to the
 * number of columns that are not ruled out.
 */
function compare<T>(x: usize, y: usize, bytes: usize): f64 {
  const lead = take<f64>(LIMIT), one = take<f64>(ONE);
  let squares = splat<f64>(0);
  let all = squares;
  let count = squares;
  for (let i: usize = 0; i < bytes; i += pairBytes<T>()) {
    const a = loadPair<T>(x + i);
    const b = loadPair<T>(y + i);
    const gap = gapOf(a, b, lead);
    squares = madd<f64>(gap, gap, squares);
    all = v128.add<f64>(all, gap);
    count = v128.add<f64>(count, v128.and(one, isThere(a, b)));
  }
  candidates = sum<f64>(count);
  gaps = sum<f64>(all);
  return sum<f64>(squares);
}

/** to = FACTOR · gap */
function finish<T>(x: usize, y: usize, to: usize, bytes: usize): void {
  const lead = take<f64>(LIMIT), factor = take<f64>(FACTOR), zero = splat<f64>(0);
  for (let i: usize = 0; i < bytes; i += pairBytes<T>()) {
    // No −0.
    storePair<T>(to + i, madd<f64>(gapOf(loadPair<T>(x + i), loadPair<T>(y + i), lead), factor, zero));
  }
}

/** Computes loss and gradient of the rows from `first` on. */
@inline
export function marginsOf<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  beginNumbers<T>(call, workspace);
  keep<f64>(RULED_OUT, -Infinity);
  keep<f64>(ONE, 1);
  for (let row = first; row < first + count; row++) {
    if (!open<T>(row, true, -Infinity)) continue;
    const lead = (load<T>(studentRow) as f64) - (load<T>(teacherRow) as f64);
    keep<f64>(LIMIT, lead);
    // 0 · lead is NaN if the first column is not finite, also without other columns.
    const squares = compare<T>(studentRow, teacherRow, width) + 0 * lead;
    const share = 1 / max<f64>(candidates - 1, 1);
    const factor = 2 * factorOf(row) * share;
    keep<f64>(FACTOR, factor);
    finish<T>(studentRow, teacherRow, outputRow, width);
    store<T>(outputRow, (0 - factor * gaps) as T); // no −0
    // If the format cannot hold the sum, it may not hold the gradient: JavaScript computes the row.
    close<T>(row, isFinite(squares as T) ? softWeightOf(row) * squares * share : NaN);
  }
}
