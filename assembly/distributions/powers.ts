// Alpha-beta divergence of p and q with the powers a and b. Let P = p^(a + b), Q = q^(a + b) and M
// = p^a q^b. From P to Q there are two steps, (M − P) / b and (Q − M) / a; from Q to P, (M − Q) / a
// and (P − M) / b. A term is (second step − first step) / (a + b), in either direction. Its slope
// with respect to log q is (Q − M) / a. The computation starts on the side with the larger power,
// so that only the first step is divided by the smaller power, which may be 0.

import { option, otherOption, temperature } from '../shared/call';
import { constant, exp2, stepsToNat } from '../shared/exp';
import { madd, nmadd, splat } from '../shared/lanes';
import { log } from '../shared/log';
import { curvature, isNear } from '../shared/nearZero';
import {
  BY_LARGER, BY_SMALLER, BY_TOTAL, END_OFFSET, END_TOP, keep, LOWEST_POWER, P_SHARE, POWER_STEPS, Q_SHARE, RULED_OUT, SMALLER,
  SMALLER_CURVE, START_OFFSET, START_TOP, take, TOTAL, TOTAL_CURVE, WAY,
} from '../shared/workspace';
import { pSum, studentMax, teacherMax } from './read';

/** Writes the constants of the terms of a row, given log (Σp / Σq) of its exponentials. */
export function placePowers<T>(logRatio: f64): void {
  const isBack = option < otherOption;
  const smaller = isBack ? option : otherOption;
  const larger = isBack ? otherOption : option;
  const total = smaller + larger;
  const share = total == 0 ? 0 : smaller / total;
  keep<T>(WAY, isBack ? -1 : 1);
  keep<T>(TOTAL, total);
  keep<T>(SMALLER, smaller);
  keep<T>(BY_TOTAL, 1 / total);
  keep<T>(BY_SMALLER, 1 / smaller);
  keep<T>(BY_LARGER, 1 / larger);
  keep<T>(P_SHARE, 1 - share);
  keep<T>(Q_SHARE, share);
  keep<T>(TOTAL_CURVE, 1 / (1 - share));
  keep<T>(SMALLER_CURVE, share / (1 - share));
  keep<T>(POWER_STEPS, (total * stepsToNat<T>()) / temperature);
  // The powers of p and q are multiplied by Σp, which brings them to the units of the teacher's
  // exponentials.
  const ofTeacher = (1 - total) * log(pSum) * stepsToNat<T>();
  const ofStudent = ofTeacher + total * logRatio * stepsToNat<T>();
  keep<T>(START_TOP, isBack ? studentMax : teacherMax);
  keep<T>(START_OFFSET, isBack ? ofStudent : ofTeacher);
  keep<T>(END_TOP, isBack ? teacherMax : studentMax);
  keep<T>(END_OFFSET, isBack ? ofTeacher : ofStudent);
}

@inline
function stepsOf<T>(logit: v128, top: usize, offset: usize): v128 {
  return madd<T>(v128.sub<T>(logit, take<T>(top)), take<T>(POWER_STEPS), take<T>(offset));
}

/**
 * Returns 2^(steps); 0 for a class that is ruled out, whose steps are −Infinity, or NaN for the
 * power 0.
 */
@inline
function raised<T>(steps: v128): v128 {
  const power = exp2<T>(
    steps, constant<T>(0), constant<T>(1), constant<T>(2), constant<T>(3), constant<T>(4), constant<T>(5), constant<T>(6),
  );
  return v128.and(power, v128.ge<T>(steps, take<T>(LOWEST_POWER)));
}

/**
 * Returns the terms of a vector of classes, given d, and writes their slopes with respect to log q.
 */
@inline
export function powersOf<T>(d: v128, student: v128, teacher: v128, output: usize): v128 {
  const way = take<T>(WAY);
  const isBack = v128.lt<T>(way, v128.xor(way, way));
  const from = v128.bitselect(student, teacher, isBack);
  const startSteps = stepsOf<T>(from, START_TOP, START_OFFSET);
  const endSteps = stepsOf<T>(v128.bitselect(teacher, student, isBack), END_TOP, END_OFFSET);
  const start = raised<T>(startSteps);
  const middle = raised<T>(madd<T>(endSteps, take<T>(Q_SHARE), v128.mul<T>(startSteps, take<T>(P_SHARE))));
  const end = raised<T>(endSteps);
  // log end − log start of the two steps; 0 if both sides rule the class out, for which d is NaN.
  const x = v128.mul<T>(v128.and(d, v128.eq<T>(d, d)), way);
  const y = v128.mul<T>(x, take<T>(TOTAL));
  const y2 = v128.mul<T>(y, y);
  const allowed = v128.and(x, v128.gt<T>(from, take<T>(RULED_OUT)));
  const z = v128.mul<T>(allowed, take<T>(SMALLER));
  const z2 = v128.mul<T>(z, z);
  const curve = curvature<T>(z, z2);
  const firstNear = v128.mul<T>(start, madd<T>(v128.mul<T>(z, curve), allowed, allowed));
  const firstFar = v128.mul<T>(v128.sub<T>(middle, start), take<T>(BY_SMALLER));
  const first = v128.bitselect(firstNear, firstFar, isNear<T>(z2));
  const secondFar = v128.mul<T>(v128.sub<T>(end, middle), take<T>(BY_LARGER));
  const both = nmadd<T>(curve, take<T>(SMALLER_CURVE), v128.mul<T>(curvature<T>(y, y2), take<T>(TOTAL_CURVE)));
  const valueNear = v128.mul<T>(v128.mul<T>(start, v128.mul<T>(x, x)), both);
  const valueFar = v128.mul<T>(v128.sub<T>(secondFar, first), take<T>(BY_TOTAL));
  const value = v128.bitselect(valueNear, valueFar, isNear<T>(y2));
  const second = v128.bitselect(madd<T>(value, take<T>(TOTAL), first), secondFar, isNear<T>(y2));
  v128.store(output, v128.bitselect(v128.neg<T>(first), second, isBack));
  return value;
}
