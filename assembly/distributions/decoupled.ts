// Divergence of a decoupled distribution: target class against all others, and among the others.
// The exponentials exclude the class of the label.

import { log } from '../shared/log';
import { first, splat } from '../shared/lanes';
import { aboveTangent, isNear } from '../shared/nearZero';
import { exponential, softplus } from './hard';
import { pSum, qSum, studentMax, teacherMax } from './read';
import { setSlopeSum, slopeSum, termOf } from './term';
import { ForwardKL } from './terms';

/** Slope with respect to the student's log odds of the label against all other classes. */
export let oddsSlope: f64 = 0;

/**
 * Returns targetWeight · KL([p_y, 1 − p_y] ‖ [q_y, 1 − q_y]) + othersWeight · KL among the other
 * classes. Writes the slopes of the second term, without its weight, and sets the sum of all slopes
 * with respect to log q of the other classes.
 */
export function decouple<T>(
  student: usize, teacher: usize, output: usize, width: usize, label: i32, temperature: f64, targetWeight: f64,
  othersWeight: f64,
): f64 {
  const place = (label as usize) * sizeof<T>();
  const others = termOf<ForwardKL, T>(student, teacher, output, 0, width);
  const x = ((load<T>(student + place) as f64) - studentMax) / temperature - log(qSum);
  const y = ((load<T>(teacher + place) as f64) - teacherMax) / temperature - log(pSum);
  const logQ = -softplus(-x);
  const logP = -softplus(-y);
  const logNotQ = -softplus(x);
  const logNotP = -softplus(y);
  const p = exponential(logP);
  const notP = exponential(logNotP);
  // The difference of the smaller pair loses fewer digits.
  const q = exponential(logQ);
  const notQ = exponential(logNotQ);
  const difference = p < 0.5 ? q - p : notP - notQ;
  oddsSlope = targetWeight * difference;
  setSlopeSum(othersWeight * slopeSum + oddsSlope);
  const target = divergenceOf(p, q, logQ - logP) + divergenceOf(notP, notQ, logNotQ - logNotP);
  return targetWeight * target + othersWeight * others;
}

/**
 * Returns p (e^d − 1 − d) = q − p − p d. The addend q − p sums to 0 over both classes; with it
 * nothing cancels near d = 0.
 */
function divergenceOf(p: f64, q: f64, d: f64): f64 {
  if (p == 0) return d == -Infinity ? NaN : q;
  const square = splat<f64>(d * d);
  if (!v128.any_true(isNear<f64>(square))) return q - p - p * d;
  return p * first<f64>(aboveTangent<f64>(splat<f64>(d), square));
}
