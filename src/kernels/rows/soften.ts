// From a row of logits to what the soft term of a response loss is a function of, and back.

import type { FloatArray } from '../../core/numeric.js';
import { norm } from './distance.js';

/** What is added to the standard deviation, as in the authors' code. */
const EPSILON = 1e-7;

/** x = z / T for the row of z from `offset` on, as long as x. */
export function soften(z: FloatArray, offset: number, temperature: number, x: Float64Array): void {
  for (let j = 0; j < x.length; j++) x[j] = z[offset + j]! / temperature;
}

/**
 * x = (z − mean) / (deviation + 1e-7) / T, the deviation being that of a sample (÷ columns − 1);
 * returns it.
 */
export function standardize(
  z: FloatArray,
  offset: number,
  temperature: number,
  x: Float64Array,
): number {
  const columns = x.length;
  for (let j = 0; j < columns; j++) x[j] = z[offset + j]!;
  // Twice, for what rounding leaves of a mean: beside a small deviation it would not be small.
  center(x);
  center(x);
  const deviation = columns > 1 ? norm(x, 0, columns) / Math.sqrt(columns - 1) : 0;
  const scale = temperature * (deviation + EPSILON);
  for (let j = 0; j < columns; j++) x[j]! /= scale;
  return deviation;
}

/** x −= its mean */
function center(x: Float64Array): void {
  let mean = 0;
  for (let j = 0; j < x.length; j++) mean += x[j]! / x.length;
  for (let j = 0; j < x.length; j++) x[j]! -= mean;
}

/**
 * The adjoint of {@link standardize}, for what it gave: turns d loss / d x into d loss / d z, in
 * place.
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
  // d deviation / d z = (z − mean) / ((columns − 1) · deviation); of a constant row, x is 0 and
  // moves in proportion.
  const pull =
    deviation > 0
      ? (along * temperature * temperature * (deviation + EPSILON)) / ((columns - 1) * deviation)
      : 0;
  for (let j = 0; j < columns; j++) {
    derivative[j] = (derivative[j]! - mean - pull * x[j]!) / scale;
  }
}
