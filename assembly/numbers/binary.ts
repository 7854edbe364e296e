// Losses of independent binary classes: each class is present with the probability σ(logit).

import { DISTRIBUTION_ROW } from '../../src/engine/layout';
import {
  columns, distributions, hardWeightOf, isStaged, labelOf, scale, softWeightOf, standardizes, stride, student,
  temperature, width,
} from '../shared/call';
import { standardize, standardizeAdjoint } from '../shared/standardize';
import { keep, ONE, take } from '../shared/workspace';
import { constant, exp2, stepsToNat } from '../shared/exp';
import { larger, largest, madd, nmadd, RUN, smaller, splat, sum, VECTOR } from '../shared/lanes';
import { aboveTangent, isNear } from '../shared/nearZero';
import { clear, copyIn } from '../shared/stage';
import { beginNumbers, FACTOR, LARGE, LIMIT, RATIO, RULED_OUT, scratchRow, SIGN } from './call';
import { aboveTwice } from './logistic';
import { close, open, outputRow, studentRow, teacherRow, temper } from './rows';

// Rows of the workspace.
const ONE_HOT: usize = 1;
const LABELS: usize = 2;
const RAW_STUDENT: usize = 5;

// Offsets of constants that other losses do not use in the same call.
const INVERSE: usize = LIMIT;
const STEPS: usize = RATIO;

/**
 * Returns Σ KL([p, 1 − p] ‖ [q, 1 − q]) with p = σ(y) and q = σ(x), for logits divided by the
 * temperature. Writes its slopes with respect to x, times FACTOR.
 *
 * The signs of x and y are flipped if y > 0, so that p is the smaller probability. The term of a
 * class is
 *
 *     log(1 + eˣ) − log(1 + eʸ) − p d,  d = x − y
 *
 * The logarithms differ by log(1 + w), w = p (e^d − 1). Near d = 0 the term is computed as p (e^d −
 * 1 − d) − (w − log(1 + w)), in which neither part loses digits.
 */
function divergence<T>(student: usize, teacher: usize, output: usize, bytes: usize): f64 {
  const inverse = take<T>(INVERSE), steps = take<T>(STEPS);
  const lowest = constant<T>(7), cap = take<T>(LARGE);
  const sign = take<T>(SIGN), one = take<T>(ONE), ruledOut = take<T>(RULED_OUT), factor = take<T>(FACTOR);
  const k0 = constant<T>(0), k1 = constant<T>(1), k2 = constant<T>(2), k3 = constant<T>(3);
  const k4 = constant<T>(4), k5 = constant<T>(5), k6 = constant<T>(6);
  const zero = splat<T>(0);
  let top = ruledOut;
  let value: f64 = 0;
  let i: usize = 0;
  while (i < bytes) {
    const end = min(i + RUN, bytes);
    let run = zero;
    for (; i < end; i += VECTOR) {
      const s = v128.load(student + i);
      const t = v128.load(teacher + i);
      top = larger<T>(t, larger<T>(s, top));
      const turn = v128.and(v128.gt<T>(t, zero), sign);
      const x = v128.xor(v128.mul<T>(s, inverse), turn);
      const isOut = v128.and(v128.eq<T>(s, ruledOut), v128.eq<T>(t, ruledOut));
      const apart = v128.andnot(v128.mul<T>(v128.sub<T>(s, t), inverse), isOut);
      // d may be infinite if the teacher rules the class out: the cap keeps p · d = 0 · d finite.
      const d = smaller<T>(v128.xor(apart, turn), cap);
      const xPower = larger<T>(v128.mul<T>(v128.abs<T>(s), steps), lowest);
      const yPower = larger<T>(v128.mul<T>(v128.abs<T>(t), steps), lowest);
      const ex = exp2<T>(xPower, k0, k1, k2, k3, k4, k5, k6);
      const ey = exp2<T>(yPower, k0, k1, k2, k3, k4, k5, k6);
      const ofX = v128.add<T>(one, ex);
      const ofY = v128.add<T>(one, ey);
      const inverses = v128.div<T>(one, v128.mul<T>(ofX, ofY));
      const notP = v128.mul<T>(inverses, ofX);
      const p = v128.mul<T>(ey, notP);
      const isUp = v128.gt<T>(x, zero);
      const d2 = v128.mul<T>(d, d);
      const near = isNear<T>(d2);
      const tangent = aboveTangent<T>(d, d2);
      // (1 + e^−|x|) / (1 + eʸ) = 1 + z, with z = w for x ≤ 0; r = z / (2 + z)
      const above = v128.bitselect(v128.mul<T>(ey, v128.add<T>(tangent, d)), v128.sub<T>(ex, ey), near);
      const r = v128.div<T>(above, v128.add<T>(v128.add<T>(ofY, ofY), above));
      const z = v128.mul<T>(above, notP);
      const most = v128.mul<T>(inverses, ofY);
      const rest = v128.mul<T>(ex, most);
      const nearValue = v128.sub<T>(v128.mul<T>(p, tangent), v128.mul<T>(z, r));
      const farValue = nmadd<T>(p, d, v128.add<T>(v128.add<T>(r, r), v128.and(x, isUp)));
      run = v128.add<T>(run, v128.add<T>(v128.bitselect(nearValue, farValue, near), aboveTwice<T>(r)));
      // q − p = w / (1 + eˣ)
      const q = v128.bitselect(most, rest, isUp);
      const notQ = v128.bitselect(rest, most, isUp);
      const slope = v128.bitselect(v128.mul<T>(z, notQ), v128.sub<T>(q, p), near);
      v128.store(output + i, madd<T>(v128.xor(slope, turn), factor, zero)); // no −0
    }
    value += sum<T>(run);
  }
  // A logit of +Infinity would look like a ruled-out class, because its sign is flipped.
  return largest<T>(top) < Infinity ? value : NaN;
}

/** Returns Σ −y log σ(x) − (1 − y) log(1 − σ(x)); adds its slopes, times FACTOR. */
function crossEntropy<T>(student: usize, labels: usize, output: usize, bytes: usize): f64 {
  const steps = take<T>(STEPS), lowest = constant<T>(7);
  const one = take<T>(ONE), factor = take<T>(FACTOR);
  const k0 = constant<T>(0), k1 = constant<T>(1), k2 = constant<T>(2), k3 = constant<T>(3);
  const k4 = constant<T>(4), k5 = constant<T>(5), k6 = constant<T>(6);
  const zero = splat<T>(0);
  let value: f64 = 0;
  let i: usize = 0;
  while (i < bytes) {
    const end = min(i + RUN, bytes);
    let run = zero;
    for (; i < end; i += VECTOR) {
      const x = v128.load(student + i);
      const y = v128.load(labels + i);
      const notY = v128.sub<T>(one, y);
      const power = larger<T>(v128.mul<T>(v128.abs<T>(x), steps), lowest);
      const e = exp2<T>(power, k0, k1, k2, k3, k4, k5, k6);
      const above = v128.add<T>(one, e);
      const most = v128.div<T>(one, above);
      const rest = v128.mul<T>(e, most);
      const r = v128.div<T>(e, v128.add<T>(one, above));
      const isUp = v128.gt<T>(x, zero);
      const q = v128.bitselect(most, rest, isUp);
      const notQ = v128.bitselect(rest, most, isUp);
      // log(1 + e^−|x|) is common to log(1 + eˣ) and log(1 + e^−x). A label of 0 adds nothing, even
      // if x is infinite.
      const common = v128.add<T>(v128.add<T>(r, r), aboveTwice<T>(r));
      const ofAbsent = madd<T>(notY, larger<T>(x, zero), common);
      const present = v128.mul<T>(y, larger<T>(v128.neg<T>(x), zero));
      run = v128.add<T>(run, v128.add<T>(ofAbsent, v128.and(present, v128.gt<T>(y, zero))));
      const slope = nmadd<T>(y, notQ, v128.mul<T>(notY, q));
      v128.store(output + i, madd<T>(slope, factor, v128.load(output + i)));
    }
    value += sum<T>(run);
  }
  return value;
}

/** Computes loss and gradient of the rows from `first` on. */
@inline
export function binaryOf<T>(call: usize, workspace: usize, first: i32, count: i32): void {
  beginNumbers<T>(call, workspace);
  keep<T>(RULED_OUT, -Infinity);
  const oneHot = scratchRow(ONE_HOT);
  clear(oneHot, width);
  for (let row = first; row < first + count; row++) {
    // A class that both sides rule out adds 0.
    if (!open<T>(row, true, -Infinity)) continue;
    const soft = softWeightOf(row);
    const hard = hardWeightOf(row);
    let loss: f64 = 0;
    if (soft != 0 || hard == 0) {
      const deviation = standardizes ? standardize<T>(studentRow, columns) : 0;
      if (standardizes) standardize<T>(teacherRow, columns);
      temper<T>();
      keep<T>(INVERSE, 1 / temperature);
      keep<T>(FACTOR, (soft * scale) / temperature);
      keep<T>(STEPS, -stepsToNat<T>() / temperature);
      loss = soft * divergence<T>(studentRow, teacherRow, outputRow, width);
      if (standardizes) {
        clear(studentRow + stride, width - stride);
        standardizeAdjoint<T>(studentRow, outputRow, width, columns, deviation);
      }
    } else {
      clear(outputRow, width);
    }
    if (hard != 0) loss += hard * hardLoss<T>(row, hard, oneHot);
    close<T>(row, loss);
  }
}

/** Returns the cross-entropy of a row with its label, at temperature 1. */
function hardLoss<T>(row: i32, weight: f64, oneHot: usize): f64 {
  keep<T>(FACTOR, weight * scale);
  keep<T>(STEPS, -stepsToNat<T>());
  const raw = student + (row as usize) * stride;
  let x = studentRow;
  if (standardizes) {
    x = scratchRow(RAW_STUDENT);
    copyIn<T>(raw, x, stride, width, -Infinity);
  }
  const label = labelOf(row);
  if (label != DISTRIBUTION_ROW) {
    const place = oneHot + (label as usize) * sizeof<T>();
    store<T>(place, 1 as T);
    const loss = crossEntropy<T>(x, oneHot, outputRow, width);
    store<T>(place, 0 as T);
    return loss;
  }
  let labels = distributions + (row as usize) * stride;
  if (isStaged) {
    copyIn<T>(labels, scratchRow(LABELS), stride, width, 0);
    labels = scratchRow(LABELS);
  }
  return crossEntropy<T>(x, labels, outputRow, width);
}
