// Losses of independent binary classes: each class is present with the probability σ(logit).

import type { FloatArray } from '../../core/numeric.js';
import type { HardLoss } from './crossEntropy.js';
import { type Distributions, forwardDivergence } from './divergences.js';

/**
 * Writes σ and log σ of a row of logits x and of −x: the probabilities that a class is present and
 * that it is absent. For x = −Infinity they are exactly 0 and 1. For NaN and +Infinity all four
 * numbers are NaN.
 */
function logistic(
  logits: FloatArray,
  offset: number,
  logPresent: Float64Array,
  present: Float64Array,
  logAbsent: Float64Array,
  absent: Float64Array,
): void {
  for (let j = 0; j < present.length; j++) {
    const x = logits[offset + j]!;
    const e = x < Infinity ? Math.exp(-Math.abs(x)) : Number.NaN;
    const log = Math.log1p(e);
    logPresent[j] = Math.min(x, 0) - log;
    logAbsent[j] = Math.min(-x, 0) - log;
    present[j] = (x < 0 ? e : 1) / (1 + e);
    absent[j] = (x < 0 ? 1 : e) / (1 + e);
  }
}

/**
 * Returns a function that computes Σ over classes of KL([p, 1 − p] ‖ [q, 1 − q]), with p = σ(y) and
 * q = σ(x). It writes the derivative with respect to x to `derivative`.
 */
export function bernoulliDivergence(
  columns: number,
): (x: Float64Array, y: Float64Array, derivative: Float64Array) => number {
  const scratch = (): Float64Array => new Float64Array(columns);
  const distributions = (): Distributions => ({
    logP: scratch(),
    p: scratch(),
    logQ: scratch(),
    q: scratch(),
    slope: scratch(),
  });
  const [present, absent] = [distributions(), distributions()];
  return (x, y, derivative) => {
    logistic(y, 0, present.logP, present.p, absent.logP, absent.p);
    logistic(x, 0, present.logQ, present.q, absent.logQ, absent.q);
    const loss = forwardDivergence(present) + forwardDivergence(absent);
    for (let j = 0; j < columns; j++) {
      // d log q / dx = 1 − q, d log(1 − q) / dx = −q
      derivative[j] = present.slope[j]! * absent.q[j]! - absent.slope[j]! * present.q[j]!;
    }
    return loss;
  };
}

/**
 * Loss −Σ over classes of y log σ(x) + (1 − y) log(1 − σ(x)). For a class index, y is 1 for this
 * class and 0 for the others.
 */
export function binaryCrossEntropy(columns: number): HardLoss {
  const scratch = (): Float64Array => new Float64Array(columns);
  const [logPresent, present, logAbsent, absent] = [scratch(), scratch(), scratch(), scratch()];
  return (student, offset, label, weight, derivative) => {
    logistic(student, offset, logPresent, present, logAbsent, absent);
    let sum = 0;
    for (let j = 0; j < columns; j++) {
      const y = typeof label === 'number' ? Number(j === label) : label.values[label.offset + j]!;
      if (y > 0) sum -= y * logPresent[j]!; // not for y = 0, where log σ may be −Infinity
      sum -= (1 - y) * logAbsent[j]!;
      derivative[j]! += weight * ((1 - y) * present[j]! - y * absent[j]!);
    }
    return weight * sum;
  };
}
