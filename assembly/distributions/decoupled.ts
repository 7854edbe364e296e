// A distribution taken apart: whether it is the label, and which class it is if it is another. The exponentials are
// those of the other classes alone.

import { log } from '../shared/log';
import { splat, VECTOR } from '../shared/lanes';
import { exponential, softplus } from './hard';
import { pSum, qSum, studentMax, teacherMax } from './read';
import { setSlopeSum, slopeSum, termOf } from './term';
import { ForwardKL } from './terms';

/** The slope of the loss by the student's log odds of the label against all other classes. */
export let oddsSlope: f64 = 0;

/**
 * targetWeight · KL([p_y, 1 − p_y] ‖ [q_y, 1 − q_y]) + othersWeight · KL among the other classes; writes the slopes of
 * the latter, without its weight, and leaves the sum of all slopes by log q of the others.
 */
export function decouple<T>(
  student: usize, teacher: usize, output: usize, width: usize, label: i32, temperature: f64, targetWeight: f64,
  othersWeight: f64,
): f64 {
  const place = (label as usize) * sizeof<T>();
  const others = termOf<ForwardKL, T>(student, teacher, output, width);
  const x = ((load<T>(student + place) as f64) - studentMax) / temperature - log(qSum);
  const y = ((load<T>(teacher + place) as f64) - teacherMax) / temperature - log(pSum);
  const logQ = -softplus(-x);
  const logP = -softplus(-y);
  const logNotQ = -softplus(x);
  const logNotP = -softplus(y);
  const p = exponential(logP);
  const notP = exponential(logNotP);
  // The smaller of the two pairs keeps the digits of its difference.
  const difference = p < 0.5 ? exponential(logQ) - p : notP - exponential(logNotQ);
  oddsSlope = targetWeight * difference;
  setSlopeSum(othersWeight * slopeSum + oddsSlope);
  const target = divergenceOf(p, logQ - logP) + divergenceOf(notP, logNotQ - logNotP);
  return targetWeight * target + othersWeight * others;
}

/** p (e^d − 1 − d): over both classes, what is added to −p d adds up to 0, and near 0 nothing cancels. */
function divergenceOf(p: f64, d: f64): f64 {
  if (p == 0) return d == -Infinity ? NaN : 0 * d;
  if (abs(d) > 0.25) return p * (exponential(d) - 1 - d);
  return p * d * d * (0.5 + d * (1 / 6.0 + d * (1 / 24.0 + d * (1 / 120.0 + d * (1 / 720.0 + d * (1 / 5040.0
    + d * (1 / 40320.0 + d * (1 / 362880.0 + d * (1 / 3628800.0 + d * (1 / 39916800.0))))))))));
}
