import type { FloatArray } from '../numeric.js';
import { divergence } from './divergence.js';
import { exponentials } from './exp.js';

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
  for (let j = 0; j < columns; j++) log[j]! -= max; // ≤ 0, so that exp never overflows
  const sum = exponentials(log, probability);
  const logSum = Math.log(sum);
  const inverse = 1 / sum;
  for (let j = 0; j < columns; j++) {
    log[j]! -= logSum;
    probability[j]! *= inverse;
  }
}

/**
 * KL(p ‖ q) of one row, where what one side rules out (log −Infinity) the other may rule out too, and only q's side
 * must not rule out alone: that makes it NaN or Infinity.
 */
export function kullbackLeibler(
  logP: Float64Array,
  p: Float64Array,
  logQ: Float64Array,
  q: Float64Array,
): number {
  let sum = 0;
  for (let j = 0; j < p.length; j++) sum += divergence(p[j]!, q[j]!, logQ[j]! - logP[j]!);
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
