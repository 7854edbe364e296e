// Divides a row of logits by the temperature, with or without standardizing it first.

import type { FloatArray } from '../../core/numeric.js';
import { norm } from './distance.js';

/** Addend of the standard deviation, as in the authors' code. */
const EPSILON = 1e-7;

/** x = z / T for the row of z from `offset` on, as long as x. */
export function soften(z: FloatArray, offset: number, temperature: number, x: Float64Array): void {
  for (let j = 0; j < x.length; j++) x[j] = z[offset + j]! / temperature;
}

/**
 * x = (z − mean) / (deviation + 1e-7) / T. Returns the deviation, the standard deviation of a
 * sample (÷ (columns − 1)).
 */
export function standardize(
  z: FloatArray,
  offset: number,
  temperature: number,
  x: Float64Array,
): number {
  const columns = x.length;
  for (let j = 0; j < columns; j++) x[j] = z[offset + j]!;
  // Centered twice: after one pass the mean is a rounding error, which may be large compared with a
  // small deviation.
  center(x);
  center(x);
  const deviation = columns > 1 ? norm(x, 0, columns) / Math.sqrt(columns - 1) : 0;
  const scale = temperature * (deviation + EPSILON);
  for (let j = 0; j < columns; j++) x[j]! /= scale;
  return deviation;
}

/** Subtracts the mean of x from x. */
function center(x: Float64Array): void {
  let mean = 0;
  for (let j = 0; j < x.length; j++) mean += x[j]! / x.length;
  for (let j = 0; j < x.length; j++) x[j]! -= mean;
}

/**
 * Adjoint of {@link standardize}, for its results x and deviation: turns d(loss) / d(x) into
 * d(loss) / d(z), in place.
 */
export function standardizeAdjoint(
  x: Float64Array,
  deviation: number,
  temperature: number,
  derivative: Float64Array,
): void {
  const columns = x.length;
  let along = 0;
  let mean = 0;
  for (let j = 0; j < columns; j++) {
    along += derivative[j]! * x[j]!;
    mean += derivative[j]! / columns;
  }
  const scale = temperature * (deviation + EPSILON);
  // d deviation / d z = (z − mean) / ((columns − 1) · deviation). The derivative of a constant row,
  // with deviation 0, has no such part.
  const pull =
    deviation > 0
      ? (along * temperature * temperature * (deviation + EPSILON)) / ((columns - 1) * deviation)
      : 0;
  for (let j = 0; j < columns; j++) {
    derivative[j] = (derivative[j]! - mean - pull * x[j]!) / scale;
  }
}
