import type { FloatArray } from '../numeric.js';

/**
 * log softmax(values / temperature) of one row into `log`, and its exponential into `probability`.
 * −Infinity stays −Infinity and exactly 0; a NaN, a +Infinity or a row of −Infinity makes every entry NaN.
 */
export function softmax(
  values: FloatArray,
  offset: number,
  columns: number,
  temperature: number,
  log: Float64Array,
  probability: Float64Array,
): void {
  let max = -Infinity;
  for (let j = 0; j < columns; j++) {
    const z = values[offset + j]! / temperature;
    log[j] = z;
    if (z > max) max = z;
  }
  let sum = 0;
  for (let j = 0; j < columns; j++) {
    const z = log[j]! - max; // ≤ 0, so that exp never overflows
    const e = Math.exp(z);
    log[j] = z;
    probability[j] = e;
    sum += e;
  }
  const logSum = Math.log(sum);
  for (let j = 0; j < columns; j++) {
    log[j]! -= logSum;
    probability[j]! /= sum;
  }
}

/** KL(p ‖ q) = Σ p (log p − log q) of one row; an entry with p = 0 because its logit is −Infinity adds 0. */
export function kullbackLeibler(
  logP: Float64Array,
  p: Float64Array,
  logQ: Float64Array,
  columns: number,
): number {
  let sum = 0;
  for (let j = 0; j < columns; j++) {
    // A p that underflowed to 0 still meets log q = −Infinity as NaN: the teacher allows what the student rules out.
    if (logP[j] !== -Infinity) sum += p[j]! * (logP[j]! - logQ[j]!);
  }
  return sum;
}

/** −Σ y log q of one row; a class with y = 0 adds 0, whatever its q. */
export function crossEntropy(y: Float64Array, logQ: Float64Array, columns: number): number {
  let sum = 0;
  for (let j = 0; j < columns; j++) {
    if (y[j] !== 0) sum -= y[j]! * logQ[j]!;
  }
  return sum;
}

/** derivative += weight · (mass · q − y), with mass = Σ y: weight · d(−Σ y log q)/d(logits), for KL(y ‖ q) too. */
export function addLogSoftmaxGradient(
  derivative: Float64Array,
  y: Float64Array,
  mass: number,
  q: Float64Array,
  weight: number,
): void {
  for (let j = 0; j < derivative.length; j++) derivative[j]! += weight * (mass * q[j]! - y[j]!);
}

export function sumOf(values: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < values.length; j++) sum += values[j]!;
  return sum;
}
