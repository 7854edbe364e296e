// (z − mean) / (deviation + 1e-7) of a row, the deviation being that of a sample, and its adjoint.

import { madd, nmadd, splat, sum, VECTOR } from '../shared/lanes';
import { RUN } from './read';

/** What is added to the deviation, as in the authors' code. */
const EPSILON: f64 = 1e-7;

/** Σ (z − shift), of a dense row. */
function sumOf<T>(row: usize, columns: i32, shift: f64): f64 {
  let total: f64 = 0;
  for (let j = 0; j < columns; j++) total += (load<T>(row + (j as usize) * sizeof<T>()) as f64) - shift;
  return total;
}

/** Standardizes the first columns of a row in place; returns the deviation. */
export function standardize<T>(row: usize, columns: i32): f64 {
  const n = columns as f64;
  // The second mean is what rounding left of the first: beside a small deviation it would not be small.
  const mean = sumOf<T>(row, columns, 0) / n;
  const rest = sumOf<T>(row, columns, mean) / n;
  let squares: f64 = 0;
  for (let j = 0; j < columns; j++) {
    const u = (load<T>(row + (j as usize) * sizeof<T>()) as f64) - mean - rest;
    squares += u * u;
  }
  const deviation = columns > 1 ? sqrt(squares / (n - 1)) : 0;
  const inverse = 1 / (deviation + EPSILON);
  for (let j = 0; j < columns; j++) {
    const at = row + (j as usize) * sizeof<T>();
    store<T>(at, (((load<T>(at) as f64) - mean - rest) * inverse) as T);
  }
  return deviation;
}

/**
 * Turns d loss / d x into d loss / d z in place, where x is the standardized row. Padding holds 0 on both sides.
 */
export function standardizeAdjoint<T>(
  x: usize, derivative: usize, width: usize, columns: i32, deviation: f64,
): void {
  const zero = splat<T>(0);
  let along: f64 = 0;
  let total: f64 = 0;
  let i: usize = 0;
  while (i < width) {
    const end = min(i + RUN, width);
    let along8 = zero;
    let total8 = zero;
    for (; i < end; i += VECTOR) {
      const g = v128.load(derivative + i);
      along8 = madd<T>(g, v128.load(x + i), along8);
      total8 = v128.add<T>(total8, g);
    }
    along += sum<T>(along8);
    total += sum<T>(total8);
  }
  const n = columns as f64;
  const length = deviation + EPSILON;
  // d deviation / d z = (z − mean) / ((n − 1) · deviation); of a constant row, x is 0 and moves in proportion.
  const pull = splat<T>(deviation > 0 ? (along * length) / ((n - 1) * deviation) : 0);
  const mean = splat<T>(total / n);
  const inverse = splat<T>(1 / length);
  for (let i: usize = 0; i < width; i += VECTOR) {
    const g = v128.sub<T>(v128.load(derivative + i), mean);
    v128.store(derivative + i, v128.mul<T>(nmadd<T>(pull, v128.load(x + i), g), inverse));
  }
}
