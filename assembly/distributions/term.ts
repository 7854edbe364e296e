// Loop of a term: computes its value and its slopes from the exponentials and logits of a row.

import { columns, perColumn, stride, width } from '../shared/call';
import { byDifference, byStudent, byTeacher, distance, relate } from './correlate';
import { first, madd, nmadd, RUN, splat, sum, VECTOR } from '../shared/lanes';
import { powersOf } from './powers';
import { distanceOf } from './ratio';
import { pSum, qSum, studentMax } from './read';
import { AlphaBeta, Correlation, differenceOf, excessShare, ForwardKL, slopeOf, valueOf } from './terms';
import {
  APART, DIFFERENCE_FACTOR, GAP, INVERSE, keep, MEAN, ps, Q_FACTOR, qs, REFERENCE, REST, STUDENT_FACTOR, take,
  TEACHER_FACTOR, UNIT,
} from '../shared/workspace';

/** Σ of the slopes with respect to log q of the last term. */
export let slopeSum: f64 = 0;

export function setSlopeSum(value: f64): void {
  slopeSum = value;
}

/**
 * Returns the slope with respect to q of the correlations of columns: multiples of p, q − p and q,
 * less their means over the batch. The table holds the three means of every column, then the three
 * factors.
 */
@inline
function columnSlope<T>(table: usize, q: v128, p: v128, difference: v128): v128 {
  const unit = take<T>(UNIT);
  const factors = table + 3 * width;
  // The products are rounded before the subtraction, as in the mean, so that equal rows give
  // exactly 0.
  const a = v128.sub<T>(v128.mul<T>(q, unit), v128.load(table + 2 * width));
  const b = v128.sub<T>(v128.mul<T>(p, unit), v128.load(table));
  const c = v128.sub<T>(v128.mul<T>(difference, unit), v128.load(table + width));
  const both = madd<T>(b, v128.load(factors), v128.mul<T>(c, v128.load(factors + width)));
  return madd<T>(a, v128.load(factors + 2 * width), both);
}

/**
 * Returns the value of a part of a row, and writes its slopes with respect to log q in units of the
 * teacher's exponentials.
 */
export function termOf<K, T>(student: usize, teacher: usize, output: usize, from: usize, to: usize): f64 {
  const isForward = idof<K>() == idof<ForwardKL>();
  const factor = take<T>(Q_FACTOR);
  const apart = take<T>(APART), gap = take<T>(GAP), inverse = take<T>(INVERSE), rest = take<T>(REST);
  const reference = take<T>(REFERENCE);
  const zero = splat<T>(0);
  const fromQ = qs;
  const fromP = ps;
  const table = idof<K>() == idof<Correlation>() ? perColumn : 0;
  let value: f64 = 0;
  let slopes: f64 = 0;
  let excess: f64 = 0;
  let i = from;
  while (i < to) {
    const end = min(i + RUN, to);
    let values8 = zero;
    let slopes8 = zero;
    let excess8 = zero;
    for (; i < end; i += VECTOR) {
      const q = v128.mul<T>(v128.load(fromQ + i), factor);
      const p = v128.load(fromP + i);
      const s = v128.load(student + i);
      const t = v128.load(teacher + i);
      const d = distanceOf<T>(s, t, apart, gap, inverse, rest);
      if (idof<K>() == idof<AlphaBeta>()) {
        values8 = v128.add<T>(values8, powersOf<T>(d, s, t, output + i));
        const slope = nmadd<T>(q, reference, v128.load(output + i));
        slopes8 = v128.add<T>(slopes8, slope);
        v128.store(output + i, slope);
        continue;
      }
      const difference = differenceOf<T>(q, p, d);
      values8 = v128.add<T>(values8, valueOf<K, T>(q, p, d, difference, s, t));
      excess8 = v128.add<T>(excess8, difference);
      if (isForward) {
        v128.store(output + i, difference);
      } else {
        let byQ = slopeOf<K, T>(q, p, d, difference);
        if (table) byQ = v128.add<T>(byQ, columnSlope<T>(table + i, q, p, difference));
        const slope = v128.mul<T>(q, v128.sub<T>(byQ, reference));
        slopes8 = v128.add<T>(slopes8, slope);
        v128.store(output + i, slope);
      }
    }
    value += sum<T>(values8);
    excess += sum<T>(excess8);
    if (!isForward) slopes += sum<T>(slopes8);
  }
  const unit = 1 / pSum;
  slopeSum = (isForward ? excess : slopes) * unit;
  // The reference was subtracted q times from each slope, and Σq is 1.
  const all = isForward ? slopeSum : slopeSum + first<T>(reference);
  return (value - excessShare<K>() * excess * all) * unit;
}

/** Returns the offset of the student's largest logit; `width` if there is none. */
function placeOfMax<T>(student: usize, width: usize): usize {
  const top = splat<T>(studentMax);
  let i: usize = 0;
  while (i < width && !v128.any_true(v128.eq<T>(v128.load(student + i), top))) i += VECTOR;
  while (i < width && load<T>(student + i) != (studentMax as T)) i += sizeof<T>();
  return i;
}

/**
 * Sets the reference slope. If one class has most of the student's probability, all slopes with
 * respect to q are taken relative to the slope of that class. The adjoint of the softmax removes a
 * constant times q. Without the reference, the rounding error of q times a large slope would be
 * larger than the remaining derivative.
 */
export function refer<K, T>(student: usize, teacher: usize, output: usize, width: usize): void {
  keep<T>(REFERENCE, 0);
  if (qSum > 2) return;
  const i = placeOfMax<T>(student, width);
  if (i >= width) return;
  const start = i - (i % VECTOR);
  termOf<K, T>(student, teacher, output, start, start + VECTOR);
  const slope = (load<T>(output + i) as f64) / ((load<T>(qs + i) as f64) * first<T>(take<T>(Q_FACTOR)));
  keep<T>(REFERENCE, isFinite(slope) ? slope : 0);
}

/** Returns the number of each lane. */
@inline
function lanesOf<T>(): v128 {
  return sizeof<T>() == 8 ? i32x4(0, 0, 1, 1) : i32x4(0, 1, 2, 3);
}

/**
 * Returns 1 − ρ of q and p; writes the constants of the slopes, times a weight. The padding is left
 * out. The rounding error of d, which is the same for every class and makes Σ (q − p) differ from
 * 0, is corrected.
 */
export function correlate<T>(student: usize, teacher: usize, weight: f64): f64 {
  const factor = take<T>(Q_FACTOR);
  const apart = take<T>(APART), gap = take<T>(GAP), inverse = take<T>(INVERSE), rest = take<T>(REST);
  const zero = splat<T>(0);
  keep<T>(MEAN, pSum / (columns as f64));
  const mean = take<T>(MEAN);
  // With two classes ρ is ±1, and only the epsilon makes the loss differ from 0 or 2: too little
  // for these sums. JavaScript computes the row.
  if (columns <= 2) return NaN;
  const whole = stride & ~15;
  const inRow = v128.lt<i32>(lanesOf<T>(), i32x4.splat(columns - (whole / sizeof<T>() as i32)));
  // a = q − mean, b = p − mean, c = q − p
  let bb: f64 = 0, bc: f64 = 0, cc: f64 = 0, aa: f64 = 0, ab: f64 = 0, excess: f64 = 0;
  let i: usize = 0;
  while (i < width) {
    const end = min(i + RUN, width);
    let bb8 = zero, bc8 = zero, cc8 = zero, aa8 = zero, ab8 = zero, excess8 = zero;
    for (; i < end; i += VECTOR) {
      const q = v128.mul<T>(v128.load(qs + i), factor);
      const p = v128.load(ps + i);
      const d = distanceOf<T>(v128.load(student + i), v128.load(teacher + i), apart, gap, inverse, rest);
      let a = v128.sub<T>(q, mean);
      let b = v128.sub<T>(p, mean);
      if (i == whole) {
        a = v128.and(a, inRow);
        b = v128.and(b, inRow);
      }
      const c = differenceOf<T>(q, p, d);
      bb8 = madd<T>(b, b, bb8);
      bc8 = madd<T>(b, c, bc8);
      cc8 = madd<T>(c, c, cc8);
      aa8 = madd<T>(a, a, aa8);
      ab8 = madd<T>(a, b, ab8);
      excess8 = v128.add<T>(excess8, c);
    }
    bb += sum<T>(bb8);
    bc += sum<T>(bc8);
    cc += sum<T>(cc8);
    aa += sum<T>(aa8);
    ab += sum<T>(ab8);
    excess += sum<T>(excess8);
  }
  const unit = 1 / pSum;
  const square = unit * unit;
  const n = columns as f64;
  bb *= square;
  aa *= square;
  ab *= square;
  bc *= square;
  cc *= square;
  excess *= unit;
  // Σ c² for the corrected c = q − p − excess · q.
  cc = max(cc - 2 * excess * (bc + cc + excess / n) + excess * excess * (aa + 1 / n), 0);
  // A row whose Σ a² is below the rounding error of q counts as a row of equal elements.
  const rounding = 16 * (sizeof<T>() == 8 ? f64.EPSILON : (f32.EPSILON as f64));
  relate(bb, bc - excess * ab, cc, aa, ab, rounding * rounding * (aa + 1 / n));
  keep<T>(REST, first<T>(rest) - excess);
  keep<T>(UNIT, unit);
  keep<T>(TEACHER_FACTOR, weight * byTeacher * unit);
  keep<T>(DIFFERENCE_FACTOR, weight * byDifference * unit);
  keep<T>(STUDENT_FACTOR, weight * byStudent * unit);
  return distance;
}
