// Ranking losses of pairs of columns that the teacher orders: k is ranked higher than l if yₖ > yₗ.
// The loss of a pair with the lead xₖ − xₗ is log(1 + e^−lead), or max(0, margin − lead) as a
// hinge.

import { softWeightOf, width } from '../shared/call';
import { keep, ONE, take } from '../shared/workspace';
import { constant, exp2, stepsToNat } from '../shared/exp';
import { broadcast, larger, RUN, splat, sum, VECTOR } from '../shared/lanes';
import { clear } from '../shared/stage';
import { beginNumbers, factorOf, LIMIT, RATIO, RULED_OUT, scratchRow, SIGN } from './call';
import { multiply } from './differences';
import { aboveTwice } from './logistic';
import { close, open, outputRow, studentRow, teacherRow } from './rows';

/** Row of the workspace. */
const ORDER: usize = 1;

/** Offset of a constant that other losses do not use in the same call. */
const STEPS: usize = RATIO;

/**
 * Copies a row of the teacher, with NaN for elements that are ruled out on both sides: NaN is
 * neither above nor below a number. Returns 0, or NaN if another element of both rows is not
 * finite.
 */
function orderOf<T>(x: usize, y: usize, to: usize, bytes: usize): f64 {
  const ruledOut = take<T>(RULED_OUT), zero = splat<T>(0);
  let rest = zero;
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    const a = v128.load(x + i);
    const b = v128.load(y + i);
    const isOut = v128.and(v128.eq<T>(a, ruledOut), v128.eq<T>(b, ruledOut));
    v128.store(to + i, v128.or(b, isOut));
    const products = v128.add<T>(v128.mul<T>(a, zero), v128.mul<T>(b, zero));
    rest = v128.add<T>(rest, v128.andnot(products, isOut));
  }
  return sum<T>(rest);
}

let pairs: f64 = 0;

/**
 * Returns the sum of the losses of all pairs; sets {@link pairs} to their number. Adds the slopes
 * with respect to x to a row. Overwrites `order`: a column whose pairs are done gets NaN, so that
 * no pair is counted twice.
 */
function compare<T>(isHinge: bool, x: usize, order: usize, to: usize, bytes: usize): f64 {
  const steps = take<T>(STEPS), lowest = constant<T>(7), margin = take<T>(LIMIT);
  const sign = take<T>(SIGN), one = take<T>(ONE), zero = splat<T>(0);
  const k0 = constant<T>(0), k1 = constant<T>(1), k2 = constant<T>(2), k3 = constant<T>(3);
  const k4 = constant<T>(4), k5 = constant<T>(5), k6 = constant<T>(6);
  let count: i64 = 0;
  let value: f64 = 0;
  for (let k: usize = 0; k < bytes; k += sizeof<T>()) {
    if (isNaN<T>(load<T>(order + k))) continue;
    const own = broadcast<T>(x + k), ownOrder = broadcast<T>(order + k);
    let slope: f64 = 0;
    let i = k & ~(VECTOR - 1);
    while (i < bytes) {
      const end = min(i + RUN, bytes);
      let values = zero, slopes = zero;
      for (; i < end; i += VECTOR) {
        const other = v128.load(order + i);
        const isBehind = v128.lt<T>(ownOrder, other);
        const isPair = v128.or(isBehind, v128.gt<T>(ownOrder, other));
        count += popcnt<i32>(i32x4.bitmask(isPair)) as i64;
        const turn = v128.and(isBehind, sign);
        const lead = v128.xor(v128.sub<T>(own, v128.load(x + i)), turn);
        let loss: v128, pull: v128; // pull = −d(loss) / d(lead)
        if (isHinge) {
          loss = larger<T>(v128.sub<T>(margin, lead), zero);
          pull = v128.and(one, v128.gt<T>(loss, zero));
        } else {
          const size = v128.abs<T>(lead);
          const e = exp2<T>(larger<T>(v128.mul<T>(size, steps), lowest), k0, k1, k2, k3, k4, k5, k6);
          const above = v128.add<T>(one, e);
          const twice = v128.add<T>(one, above);
          const inverses = v128.div<T>(one, v128.mul<T>(above, twice));
          // log(1 + e) = 2 artanh(r), r = e / (2 + e)
          const r = v128.mul<T>(e, v128.mul<T>(inverses, above));
          const most = v128.mul<T>(inverses, twice);
          const isAhead = v128.gt<T>(lead, zero);
          loss = v128.add<T>(v128.andnot(size, isAhead), v128.add<T>(v128.add<T>(r, r), aboveTwice<T>(r)));
          pull = v128.bitselect(v128.mul<T>(e, most), most, isAhead);
        }
        values = v128.add<T>(values, v128.and(loss, isPair));
        const slopeOfOther = v128.xor(v128.and(pull, isPair), turn);
        slopes = v128.add<T>(slopes, slopeOfOther);
        v128.store(to + i, v128.add<T>(v128.load(to + i), slopeOfOther));
      }
      value += sum<T>(values);
      slope += sum<T>(slopes);
    }
    store<T>(to + k, ((load<T>(to + k) as f64) - slope) as T);
    store<T>(order + k, NaN as T);
  }
  // A lane of doubles sets two bits of the mask.
  pairs = ((count * 4) as f64) / (sizeof<T>() as f64);
  return value;
}

/** Computes loss and gradient of the rows from `first` on. */
export function rankingOf<T>(isHinge: bool, call: usize, workspace: usize, first: i32, count: i32): void {
  beginNumbers<T>(call, workspace);
  keep<T>(RULED_OUT, -Infinity);
  keep<T>(STEPS, -stepsToNat<T>());
  const order = scratchRow(ORDER);
  for (let row = first; row < first + count; row++) {
    if (!open<T>(row, true, -Infinity)) continue;
    const rest = orderOf<T>(studentRow, teacherRow, order, width);
    clear(outputRow, width);
    const value = compare<T>(isHinge, studentRow, order, outputRow, width) + rest;
    const share = pairs == 0 ? 0 : 1 / pairs;
    multiply<T>(outputRow, width, factorOf(row) * share);
    close<T>(row, softWeightOf(row) * value * share);
  }
}
