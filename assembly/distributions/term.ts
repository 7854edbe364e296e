// The loop of a term: from what was read of a row to its value and its slopes.

import { first, madd, nmadd, splat, sum, VECTOR } from '../shared/lanes';
import { pSum, qSum, RUN, studentMax } from './read';
import { differenceOf, excessShare, ForwardKL, slopeOf, valueOf } from './terms';
import {
  APART, DIFFERENCE_FACTOR, GAP, INVERSE, keep, MEAN, ps, Q_FACTOR, qs, REFERENCE, REST, take, TEACHER_FACTOR,
} from './workspace';

/** Σ of the slopes by log q, of the term that was evaluated last. */
export let slopeSum: f64 = 0;

export function setSlopeSum(value: f64): void {
  slopeSum = value;
}

/** d of a vector of classes, see ratio.ts. */
// @ts-ignore: decorator
@inline
function distanceOf<T>(student: v128, teacher: v128, apart: v128, gap: v128, inverse: v128, rest: v128): v128 {
  const x = v128.sub<T>(student, apart);
  return madd<T>(v128.sub<T>(v128.sub<T>(x, teacher), gap), inverse, rest);
}

/** Returns the value, and writes the slopes by log q, in units of the teacher's exponentials. */
// @ts-ignore: decorator
@inline
export function termOf<K, T>(student: usize, teacher: usize, output: usize, width: usize): f64 {
  const isForward = idof<K>() == idof<ForwardKL>();
  const factor = take<T>(Q_FACTOR);
  const apart = take<T>(APART), gap = take<T>(GAP), inverse = take<T>(INVERSE), rest = take<T>(REST);
  const reference = take<T>(REFERENCE);
  const zero = splat<T>(0);
  const fromQ = qs;
  const fromP = ps;
  let value: f64 = 0;
  let slopes: f64 = 0;
  let excess: f64 = 0;
  let i: usize = 0;
  while (i < width) {
    const end = min(i + RUN, width);
    let values8 = zero;
    let slopes8 = zero;
    let excess8 = zero;
    for (; i < end; i += VECTOR) {
      const q = v128.mul<T>(v128.load(fromQ + i), factor);
      const p = v128.load(fromP + i);
      const s = v128.load(student + i);
      const t = v128.load(teacher + i);
      const d = distanceOf<T>(s, t, apart, gap, inverse, rest);
      const difference = differenceOf<T>(q, p, d);
      values8 = v128.add<T>(values8, valueOf<K, T>(q, p, d, difference, s, t));
      excess8 = v128.add<T>(excess8, difference);
      if (isForward) {
        v128.store(output + i, difference);
      } else {
        const slope = v128.mul<T>(q, v128.sub<T>(slopeOf<K, T>(q, p, d, difference), reference));
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
 * Where one class has most of the student's mass, all slopes by q are taken relative to the slope of that class. The
 * adjoint of the softmax takes a constant times q out again, and the product of q with a large slope would be rounded
 * to more than what is left of it.
 */
export function refer<K, T>(student: usize, teacher: usize, width: usize): void {
  keep<T>(REFERENCE, 0);
  if (qSum > 2) return;
  const i = placeOfMax<T>(student, width);
  if (i >= width) return;
  const q = v128.mul<T>(splat<T>(load<T>(qs + i) as f64), take<T>(Q_FACTOR));
  const p = splat<T>(load<T>(ps + i) as f64);
  const d = distanceOf<T>(
    splat<T>(load<T>(student + i) as f64), splat<T>(load<T>(teacher + i) as f64),
    take<T>(APART), take<T>(GAP), take<T>(INVERSE), take<T>(REST),
  );
  const slope = first<T>(slopeOf<K, T>(q, p, d, differenceOf<T>(q, p, d)));
  keep<T>(REFERENCE, isFinite(slope) ? slope : 0);
}

/** The number of each lane. */
// @ts-ignore: decorator
@inline
function lanesOf<T>(): v128 {
  return sizeof<T>() == 8 ? i32x4(0, 0, 1, 1) : i32x4(0, 1, 2, 3);
}

/** What is added to the product of the norms, as in the authors' code. */
const EPSILON: f64 = 1e-8;

/**
 * 1 − ρ of q and p, by the moments of p and of q − p, so that nothing cancels where they are close; keeps what the
 * slopes are made of. Padding, where q and p are 0, is no part of it.
 */
export function correlate<T>(student: usize, teacher: usize, width: usize, columns: i32): f64 {
  const factor = take<T>(Q_FACTOR);
  const apart = take<T>(APART), gap = take<T>(GAP), inverse = take<T>(INVERSE), rest = take<T>(REST);
  const zero = splat<T>(0);
  keep<T>(MEAN, pSum / (columns as f64));
  const mean = take<T>(MEAN);
  // Of two classes ρ is ±1, and all that is left of the loss is what the epsilon makes: too little for these sums.
  if (columns <= 2) return NaN;
  const whole = ((columns as usize) * sizeof<T>()) & ~15;
  let aa: f64 = 0; // a = q − mean, b = p − mean, c = q − p
  let bb: f64 = 0;
  let bc: f64 = 0;
  let cc: f64 = 0;
  let i: usize = 0;
  while (i < width) {
    const end = min(i + RUN, width);
    let aa8 = zero;
    let bb8 = zero;
    let bc8 = zero;
    let cc8 = zero;
    for (; i < end; i += VECTOR) {
      const q = v128.mul<T>(v128.load(qs + i), factor);
      const p = v128.load(ps + i);
      const d = distanceOf<T>(v128.load(student + i), v128.load(teacher + i), apart, gap, inverse, rest);
      let b = v128.sub<T>(p, mean);
      if (i == whole) b = v128.and(b, v128.lt<i32>(lanesOf<T>(), i32x4.splat(columns - (whole / sizeof<T>() as i32))));
      const c = differenceOf<T>(q, p, d);
      const a = v128.add<T>(b, c);
      aa8 = madd<T>(a, a, aa8);
      bb8 = madd<T>(b, b, bb8);
      bc8 = madd<T>(b, c, bc8);
      cc8 = madd<T>(c, c, cc8);
    }
    aa += sum<T>(aa8);
    bb += sum<T>(bb8);
    bc += sum<T>(bc8);
    cc += sum<T>(cc8);
  }
  const square = pSum * pSum;
  aa /= square;
  bb /= square;
  bc /= square;
  cc /= square;
  // What is below the rounding of q is an equal row, whose derivative by the norm is taken as 0.
  const rounding = 16 * (sizeof<T>() == 8 ? f64.EPSILON : f32.EPSILON as f64);
  if (aa < rounding * rounding * (aa + 1 / (columns as f64))) aa = 0;
  const ab = bb + bc;
  const norms = sqrt(aa) * sqrt(bb);
  const denominator = norms + EPSILON;
  const correlation = ab / denominator;
  // d (1 − ρ) / d a = −(b − ρ ‖b‖ a / ‖a‖) / denominator, where a = b + c
  const along = aa > 0 ? correlation * sqrt(bb / aa) : 0;
  keep<T>(DIFFERENCE_FACTOR, along / denominator / pSum);
  keep<T>(TEACHER_FACTOR, (along - 1) / denominator / pSum);
  if (cc > 0.25 * bb) return 1 - correlation;
  // Near the teacher 1 − ρ is (denominator² − ab²) / (denominator (denominator + ab)), and ‖a‖² ‖b‖² − ab² is bb · cc − bc².
  const beside = bb * cc - bc * bc + EPSILON * (2 * norms + EPSILON);
  return beside / (denominator * (denominator + ab));
}
