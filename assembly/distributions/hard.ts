// Cross-entropy with a label, at temperature 1, from the exponentials of the logits.

import { power, stepsToNat } from '../shared/exp';
import { logOnePlus } from '../shared/log';
import { madd, nmadd, RUN, splat, sum, VECTOR } from '../shared/lanes';
import { hardSum, restOf, studentMax } from './read';
import { hards } from '../shared/workspace';

/**
 * Loss of the last label, and the sums of the exponentials of the other classes and of all classes.
 */
export let hardLoss: f64 = 0;
export let hardRest: f64 = 0;
export let hardTotal: f64 = 0;

/**
 * Whether the label has more than all other classes together. Its loss is then computed as log(1 +
 * others / own) instead of log(all / own).
 */
let isSure: bool = false;

/** Argument of the logarithm in the loss, and the argument − 1 without loss of digits. */
export let logged: f64 = 1;
export let loggedAbove: f64 = 0;

/** Computes the argument of the logarithm in the loss of a label. */
export function weighLabel<T>(label: i32, width: usize): void {
  const place = (label as usize) * sizeof<T>();
  const own = load<T>(hards + place) as f64;
  // hardSum − own would cancel if the label has most of the sum.
  hardRest = own > 0.5 * hardSum ? restOf<T>(width, place) : hardSum - own;
  hardTotal = hardRest + own;
  isSure = hardRest < own;
  loggedAbove = isSure ? hardRest / own : hardTotal - 1;
  logged = isSure ? 1 + loggedAbove : hardTotal;
}

/**
 * Sets `hardLoss` to −log softmax(student) at the label, given the logarithm of `logged`. `student`
 * is the row before any standardization.
 */
export function labelLoss<T>(student: usize, label: i32, logarithm: f64): void {
  hardLoss = logarithm;
  if (!isSure) hardLoss -= (load<T>(student + (label as usize) * sizeof<T>()) as f64) - studentMax;
}

/** Restores the results for a label. */
export function recallLabel(loss: f64, rest: f64, total: f64): void {
  hardLoss = loss;
  hardRest = rest;
  hardTotal = total;
}

/**
 * Sets `hardLoss` to −log softmax(student) at the label, if the exponentials
 * exclude the class of the label; `logarithm` is the log of their sum.
 */
export function classLossBeside<T>(student: usize, label: i32, logarithm: f64): void {
  const place = (label as usize) * sizeof<T>();
  const odds = (load<T>(student + place) as f64) - studentMax - logarithm;
  hardLoss = softplus(-odds);
  hardRest = hardSum;
  // The share of the other classes is 1 / (1 + e^odds).
  hardTotal = hardSum / exponential(-softplus(odds));
}

/** e^x for x ≤ 0 */
export function exponential(x: f64): f64 {
  return power<f64>(x * stepsToNat<f64>());
}

/** log(1 + e^x) */
export function softplus(x: f64): f64 {
  return x > 0 ? x + logOnePlus(exponential(-x)) : logOnePlus(exponential(x));
}

/** Σ label, of the distribution that was looked at last. */
export let mass: f64 = 0;

/**
 * Sets `hardLoss` to −Σ label · log softmax(student), given log Σ e^student. An element of the
 * label that is 0 adds nothing, even for a logit of −Infinity.
 */
export function distributionLoss<T>(student: usize, labels: usize, columns: i32, logarithm: f64): void {
  const bytes = (columns as usize) * sizeof<T>();
  const whole = bytes - (bytes % VECTOR);
  const top = splat<T>(studentMax);
  const zero = splat<T>(0);
  let masses: f64 = 0;
  let depths: f64 = 0;
  let i: usize = 0;
  while (i < whole) {
    const end = min(i + RUN, whole);
    let masses8 = zero;
    let depths8 = zero;
    for (; i < end; i += VECTOR) {
      const y = v128.load(labels + i);
      const depth = v128.and(v128.sub<T>(top, v128.load(student + i)), v128.gt<T>(y, zero));
      masses8 = v128.add<T>(masses8, y);
      depths8 = madd<T>(y, depth, depths8);
    }
    masses += sum<T>(masses8);
    depths += sum<T>(depths8);
  }
  for (; i < bytes; i += sizeof<T>()) {
    const y = load<T>(labels + i) as f64;
    masses += y;
    if (y > 0) depths += y * (studentMax - (load<T>(student + i) as f64));
  }
  mass = masses;
  hardLoss = masses * logarithm + depths;
}

/** gradient −= factor · label. */
export function subtractLabels<T>(labels: usize, gradient: usize, columns: i32, factor: f64): void {
  const bytes = (columns as usize) * sizeof<T>();
  const whole = bytes - (bytes % VECTOR);
  const each = splat<T>(factor);
  let i: usize = 0;
  for (; i < whole; i += VECTOR) {
    v128.store(gradient + i, nmadd<T>(v128.load(labels + i), each, v128.load(gradient + i)));
  }
  for (; i < bytes; i += sizeof<T>()) {
    store<T>(gradient + i, ((load<T>(gradient + i) as f64) - factor * (load<T>(labels + i) as f64)) as T);
  }
}
