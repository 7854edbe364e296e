// Losses that are sums over columns of a function of both elements.

import { columns, option, softWeightOf, width } from '../shared/call';
import { HALF, keep, take } from '../shared/workspace';
import { larger, madd, RUN, smaller, splat, sum, VECTOR } from '../shared/lanes';
import {
  beginNumbers, FACTOR, factorOf, LIMIT, MINUS_LIMIT, parameters, RULED_OUT, SIGN,
} from './call';
import { close, open, outputRow, studentRow, teacherRow, temper } from './rows';

/** mean (x − y)² */
export class Squared {}
/** ‖x − y‖ */
export class Norm {}
/** mean |x − y| */
export class Absolute {}
/** mean of Huber's loss of x − y */
export class Huber {}
/** Σ max(0, margin − σ x)², where σ is 1 for y > 0 and −1 for y ≤ 0 */
export class ActivationBoundary {}
/** Σ (x − z)² with z = max(y, margin of the channel), without the terms with x ≤ z ≤ 0 */
export class MarginReLU {}

/**
 * Returns the slope with respect to x, or half of it for a squared value. `limit` is the option of
 * the loss: the margin, Huber's δ, or 1 for the absolute value.
 */
@inline
function slopeOf<K, T>(x: v128, y: v128, limit: v128, minusLimit: v128, sign: v128, ruledOut: v128): v128 {
  const difference = v128.sub<T>(x, y);
  const zero = splat<T>(0);
  if (idof<K>() == idof<ActivationBoundary>()) {
    const turn = v128.andnot(sign, v128.gt<T>(y, zero)); // flips the sign of x if y ≤ 0
    const short = v128.sub<T>(limit, v128.xor(x, turn));
    // difference · 0 is NaN if an element is not finite.
    const above = larger<T>(madd<T>(difference, zero, short), zero);
    return v128.xor(above, v128.xor(turn, sign));
  }
  if (idof<K>() == idof<MarginReLU>()) {
    const target = larger<T>(y, limit);
    const over = madd<T>(difference, zero, v128.sub<T>(x, target));
    return v128.bitselect(over, larger<T>(over, zero), v128.gt<T>(target, zero));
  }
  const u = v128.andnot(difference, v128.and(v128.eq<T>(x, ruledOut), v128.eq<T>(y, ruledOut)));
  if (idof<K>() == idof<Absolute>()) {
    return v128.or(v128.and(u, sign), v128.and(limit, v128.ne<T>(u, zero)));
  }
  if (idof<K>() == idof<Huber>()) return smaller<T>(larger<T>(u, minusLimit), limit);
  return u;
}

@inline
function valueOf<K, T>(x: v128, y: v128, slope: v128, half: v128): v128 {
  if (idof<K>() == idof<Absolute>()) return v128.abs<T>(v128.sub<T>(x, y));
  if (idof<K>() == idof<Huber>()) {
    return v128.mul<T>(slope, v128.sub<T>(v128.sub<T>(x, y), v128.mul<T>(half, slope)));
  }
  return v128.mul<T>(slope, slope);
}

/** Writes the slopes of a row, times FACTOR; returns the sum of the values. */
@inline
function valuesOf<K, T>(student: usize, teacher: usize, output: usize, bytes: usize): f64 {
  const factor = take<T>(FACTOR);
  const zero = splat<T>(0);
  const limit = take<T>(LIMIT), minusLimit = take<T>(MINUS_LIMIT);
  const sign = take<T>(SIGN), half = take<T>(HALF), ruledOut = take<T>(RULED_OUT);
  const margins = parameters;
  let value: f64 = 0;
  let i: usize = 0;
  while (i < bytes) {
    const end = min(i + RUN, bytes);
    let run = zero;
    for (; i < end; i += VECTOR) {
      const x = v128.load(student + i);
      const y = v128.load(teacher + i);
      const own = idof<K>() == idof<MarginReLU>() ? v128.load(margins + i) : limit;
      const slope = slopeOf<K, T>(x, y, own, minusLimit, sign, ruledOut);
      run = v128.add<T>(run, valueOf<K, T>(x, y, slope, half));
      v128.store(output + i, madd<T>(slope, factor, zero)); // no −0
    }
    value += sum<T>(run);
  }
  return value;
}

/** Multiplies a row by a number. */
export function multiply<T>(row: usize, bytes: usize, by: f64): void {
  keep<T>(FACTOR, by);
  const factor = take<T>(FACTOR);
  const zero = splat<T>(0);
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    v128.store(row + i, madd<T>(v128.load(row + i), factor, zero)); // no −0
  }
}

/** Whether all elements of a row are 0. */
export function isZero<T>(row: usize, bytes: usize): bool {
  let all = splat<T>(0);
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    all = v128.or(all, v128.ne<T>(v128.load(row + i), splat<T>(0)));
  }
  return !v128.any_true(all);
}

/** Computes loss and gradient of the rows from `first` on. */
@inline
export function differencesOf<K, T>(call: usize, workspace: usize, first: i32, count: i32): void {
  beginNumbers<T>(call, workspace);
  const isBoundary = idof<K>() == idof<ActivationBoundary>();
  const isNorm = idof<K>() == idof<Norm>();
  const isSum = isBoundary || isNorm || idof<K>() == idof<MarginReLU>();
  const isHalf = idof<K>() != idof<Absolute>() && idof<K>() != idof<Huber>();
  if (idof<K>() == idof<Absolute>()) keep<T>(LIMIT, 1);
  const share = isSum ? 1 : 1 / (columns as f64);
  // Below this sum, squares may have underflowed, so that digits are lost.
  const least = (columns as f64) * (sizeof<T>() == 8 ? 1e-290 : 1e-30);
  for (let row = first; row < first + count; row++) {
    // Padding adds 0: it is beyond the boundary, or the same on both sides.
    if (!open<T>(row, true, isBoundary ? -option : 0)) continue;
    temper<T>();
    // The slope of a norm is divided by the norm, which is known only after the row was read.
    keep<T>(FACTOR, isNorm ? 1 : factorOf(row) * share * (isHalf ? 2 : 1));
    let value = valuesOf<K, T>(studentRow, teacherRow, outputRow, width);
    if (value < least && idof<K>() != idof<Absolute>() && !isZero<T>(outputRow, width)) value = NaN;
    if (isNorm) {
      value = sqrt(value);
      multiply<T>(outputRow, width, value == 0 ? 0 : factorOf(row) / value);
    }
    close<T>(row, softWeightOf(row) * value * share);
  }
}
