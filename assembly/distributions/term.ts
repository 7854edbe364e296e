// The loop of a term: from what was read of a row to its value and its slopes.

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

/** Σ of the slopes by log q, of the term that was evaluated last. */
export let slopeSum: f64 = 0;

export function setSlopeSum(value: f64): void {
  slopeSum = value;
}

/**
 * The slope by q of the loss of the columns: multiples of p, of q − p and of q less their means
 * over the batch. The table holds the three means of every column, then the three factors.
 */
@inline
function columnSlope<T>(table: usize, q: v128, p: v128, difference: v128): v128 {
  const unit = take<T>(UNIT);
  const factors = table + 3 * width;
  // Products are rounded, as they were in the mean: of equal rows nothing is left.
  const a = v128.sub<T>(v128.mul<T>(q, unit), v128.load(table + 2 * width));
  const b = v128.sub<T>(v128.mul<T>(p, unit), v128.load(table));
  const c = v128.sub<T>(v128.mul<T>(difference, unit), v128.load(table + width));
  const both = madd<T>(b, v128.load(factors), v128.mul<T>(c, v128.load(factors + width)));
  return madd<T>(a, v128.load(factors + 2 * width), both);
}

/**
 * Returns the value of a part of a row, and writes its slopes by log q, in units of the teacher's
 * exponentials.
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
  // Σq is 1, so that the reference counts once in the sum of the slopes.
  const all = isForward ? slopeSum : slopeSum + first<T>(reference);
  return (value - excessShare<K>() * excess * all) * unit;
}

/** Where the student's largest logit stands; `width` if nowhere. */
function placeOfMax<T>(student: usize, width: usize): usize {
  const top = splat<T>(studentMax);
  let i: usize = 0;
  while (i < width && !v128.any_true(v128.eq<T>(v128.load(student + i), top))) i += VECTOR;
  while (i < width && load<T>(student + i) != (studentMax as T)) i += sizeof<T>();
  return i;
}

/**
 * Where one class has most of the student's mass, all slopes by q are taken relative to the slope
 * of that class. The adjoint of the softmax takes a constant times q out again, and the product of
 * q with a large slope would be rounded to more than what is left of it.
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

/** The number of each lane. */
@inline
function lanesOf<T>(): v128 {
  return sizeof<T>() == 8 ? i32x4(0, 0, 1, 1) : i32x4(0, 1, 2, 3);
}

/**
 * 1 − ρ of q and p; keeps what the slopes are made of, times a weight. Padding, where q and p are
 * 0, is no part of it. Rounding leaves Σ (q − p) off 0, by what d is off in every class: that is
 * taken out.
 */
export function correlate<T>(student: usize, teacher: usize, weight: f64): f64 {
  const factor = take<T>(Q_FACTOR);
  const apart = take<T>(APART), gap = take<T>(GAP), inverse = take<T>(INVERSE), rest = take<T>(REST);
  const zero = splat<T>(0);
  keep<T>(MEAN, pSum / (columns as f64));
  const mean = take<T>(MEAN);
  // Of two classes ρ is ±1, and all that is left of the loss is what the epsilon makes: too little
  // for these sums.
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
  // Of q − p less excess · q.
  cc = max(cc - 2 * excess * (bc + cc + excess / n) + excess * excess * (aa + 1 / n), 0);
  // What is below the rounding of q is an equal row.
  const rounding = 16 * (sizeof<T>() == 8 ? f64.EPSILON : (f32.EPSILON as f64));
  relate(bb, bc - excess * ab, cc, aa, ab, rounding * rounding * (aa + 1 / n));
  keep<T>(REST, first<T>(rest) - excess);
  keep<T>(UNIT, unit);
  keep<T>(TEACHER_FACTOR, weight * byTeacher * unit);
  keep<T>(DIFFERENCE_FACTOR, weight * byDifference * unit);
  keep<T>(STUDENT_FACTOR, weight * byStudent * unit);
  return distance;
}
