// Terms of the losses, with value and slope with respect to q. The arguments are q and p in units
// of the teacher's exponentials, d = log q − log p, and q − p. All terms are homogeneous in q and
// p.

import { logOf, relativeEntropy } from '../shared/logLanes';
import { larger, madd, nmadd, splat } from '../shared/lanes';
import { aboveTangent, isNear } from '../shared/nearZero';
import {
  DIFFERENCE_FACTOR, HALF, MEAN, ONE, P_SHARE, Q_SHARE, RULED_OUT, STUDENT_FACTOR, take, TEACHER_FACTOR, TINY,
} from '../shared/workspace';

/**
 * KL(p ‖ q). Its slope with respect to log q is q − p, so that it needs no slope with respect to q.
 */
export class ForwardKL {}
/** KL(q ‖ p) */
export class ReverseKL {}
/** KL(p ‖ m), m = P_SHARE · p + Q_SHARE · q */
export class SkewKL {}
/** KL(q ‖ m) */
export class SkewReverseKL {}
/** P_SHARE · KL(p ‖ m) + Q_SHARE · KL(q ‖ m) */
export class JensenShannon {}
/** ½ Σ |q − p| */
export class TotalVariation {}
/** 1 − the correlation of q and p, whose moments are in the workspace. */
export class Correlation {}
/** The alpha-beta divergence, see powers.ts. */
export class AlphaBeta {}

/** Returns q − p, without cancellation if q and p are close. */
@inline
export function differenceOf<T>(q: v128, p: v128, d: v128): v128 {
  const d2 = v128.mul<T>(d, d);
  const near = v128.mul<T>(p, v128.add<T>(aboveTangent<T>(d, d2), d));
  return v128.bitselect(near, v128.sub<T>(q, p), isNear<T>(d2));
}

@inline
function isPositive<T>(x: v128): v128 {
  return v128.gt<T>(x, v128.xor(x, x));
}

/**
 * Returns all ones in the lanes whose logit is not −Infinity. The probability is no criterion: it
 * may underflow for an allowed class.
 */
@inline
function isAllowed<T>(logit: v128): v128 {
  return v128.gt<T>(logit, take<T>(RULED_OUT));
}

/** Returns p (e^d − 1 − d). */
@inline
function forwardValue<T>(q: v128, p: v128, d: v128, teacher: v128): v128 {
  const d2 = v128.mul<T>(d, d);
  const near = v128.mul<T>(p, aboveTangent<T>(d, d2));
  const far = nmadd<T>(p, v128.and(d, isAllowed<T>(teacher)), v128.sub<T>(q, p));
  return v128.bitselect(near, far, isNear<T>(d2));
}

/** Returns q (e^−d − 1 + d). With e^d = 1 + d + c it equals p (d² + (d − 1) c). */
@inline
function reverseValue<T>(q: v128, p: v128, d: v128, student: v128): v128 {
  const d2 = v128.mul<T>(d, d);
  const c = aboveTangent<T>(d, d2);
  const near = v128.mul<T>(p, madd<T>(v128.sub<T>(d, take<T>(ONE)), c, d2));
  const far = madd<T>(q, v128.and(d, isAllowed<T>(student)), v128.sub<T>(p, q));
  return v128.bitselect(near, far, isNear<T>(d2));
}

/** Returns the mixture m, but at least TINY, so that a ratio cannot overflow. */
@inline
function mixtureOf<T>(q: v128, p: v128): v128 {
  return larger<T>(madd<T>(p, take<T>(P_SHARE), v128.mul<T>(q, take<T>(Q_SHARE))), take<T>(TINY));
}

@inline
export function valueOf<K, T>(
  q: v128, p: v128, d: v128, difference: v128, student: v128, teacher: v128,
): v128 {
  if (idof<K>() == idof<ForwardKL>()) return forwardValue<T>(q, p, d, teacher);
  if (idof<K>() == idof<ReverseKL>()) return reverseValue<T>(q, p, d, student);
  if (idof<K>() == idof<TotalVariation>()) return v128.mul<T>(take<T>(HALF), v128.abs<T>(difference));
  if (idof<K>() == idof<Correlation>()) return splat<T>(0); // it is no sum over classes
  const m = mixtureOf<T>(q, p);
  const inverse = v128.div<T>(take<T>(ONE), m);
  // z = (q − p) / m; p / m − 1 = −Q_SHARE · z and q / m − 1 = P_SHARE · z.
  const z = v128.mul<T>(difference, inverse);
  const ofP = relativeEntropy<T>(v128.mul<T>(p, inverse), v128.mul<T>(z, v128.neg<T>(take<T>(Q_SHARE))));
  if (idof<K>() == idof<SkewKL>()) return v128.mul<T>(m, ofP);
  const ofQ = relativeEntropy<T>(v128.mul<T>(q, inverse), v128.mul<T>(z, take<T>(P_SHARE)));
  if (idof<K>() == idof<SkewReverseKL>()) return v128.mul<T>(m, ofQ);
  return v128.mul<T>(m, madd<T>(take<T>(P_SHARE), ofP, v128.mul<T>(take<T>(Q_SHARE), ofQ)));
}

@inline
export function slopeOf<K, T>(q: v128, p: v128, d: v128, difference: v128): v128 {
  if (idof<K>() == idof<ReverseKL>()) return v128.and(d, isPositive<T>(q));
  if (idof<K>() == idof<TotalVariation>()) {
    const zero = splat<T>(0);
    const up = v128.and(take<T>(HALF), v128.gt<T>(difference, zero));
    return v128.sub<T>(up, v128.and(take<T>(HALF), v128.lt<T>(difference, zero)));
  }
  if (idof<K>() == idof<Correlation>()) {
    const mean = take<T>(MEAN);
    const ofP = v128.mul<T>(take<T>(TEACHER_FACTOR), v128.sub<T>(p, mean));
    const ofBoth = madd<T>(take<T>(DIFFERENCE_FACTOR), difference, ofP);
    return madd<T>(take<T>(STUDENT_FACTOR), v128.sub<T>(q, mean), ofBoth);
  }
  const inverse = v128.div<T>(take<T>(ONE), mixtureOf<T>(q, p));
  const z = v128.mul<T>(difference, inverse);
  if (idof<K>() == idof<SkewKL>()) {
    const share = take<T>(Q_SHARE);
    return v128.mul<T>(v128.mul<T>(share, share), z);
  }
  const above = v128.mul<T>(z, take<T>(P_SHARE));
  const log = v128.and(logOf<T>(v128.mul<T>(q, inverse), above), isPositive<T>(q));
  if (idof<K>() == idof<JensenShannon>()) return v128.mul<T>(take<T>(Q_SHARE), log);
  return nmadd<T>(take<T>(Q_SHARE), above, log);
}

/**
 * Returns the share of Σ slope · Σ (q − p) that is subtracted from the value. It corrects the value
 * for the rounding errors that make Σ (q − p) differ from 0.
 */
@inline
export function excessShare<K>(): f64 {
  return idof<K>() == idof<TotalVariation>() ? 1 : 0.5;
}
