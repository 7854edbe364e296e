import { HALF, roundTo, spacingAt } from '../core/half.js';

/** Rounds numbers to half precision, to the nearest, in place. */
export function roundToHalf(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) values[i] = roundTo(values[i]!, HALF);
}

/**
 * Rounds the log-probabilities of a row to half precision, in place. Each one is rounded up or down
 * so that the sum of the probabilities stays the same. With rounding to the nearest, the sum of 64
 * equal probabilities can change by 0.2 %, and a strategy refuses such a row.
 */
export function roundLogProbabilities(values: Float32Array): void {
  let excess = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value === -Infinity) continue;
    const sign = value < 0 ? -1 : 1;
    const unit = spacingAt(value, HALF);
    const near = sign * Math.min(Math.floor(Math.abs(value) / unit) * unit, HALF.largest);
    if (near === value) continue;
    const far = near + sign * unit;
    const probability = Math.exp(value);
    const byNear = Math.exp(near) - probability;
    const byFar = Math.exp(far) - probability;
    const isNear = Math.abs(excess + byNear) <= Math.abs(excess + byFar);
    values[i] = isNear ? near : far;
    excess += isNear ? byNear : byFar;
  }
}
