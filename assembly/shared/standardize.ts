// Standardizes a row, x = (z − mean) / (deviation + 1e-7) with the standard deviation of a sample
// (÷ (columns − 1)), and computes the adjoint.

import { madd, nmadd, RUN, splat, sum, VECTOR } from './lanes';

/** Addend of the deviation, as in the authors' code. */
const EPSILON: f64 = 1e-7;

/**
 * Share of the sum of squares that may be subtracted from it without loss of digits; above it, the
 * squares are summed again.
 */
const SMALL: f64 = 1e-3;

/** Σ (z − shift) and Σ (z − shift)² of the first columns of a row. */
let total: f64 = 0;
let squares: f64 = 0;

/**
 * Computes `total` and `squares` of a row, less `shift` and `rest`. Each is computed in two sums,
 * so that an addition does not wait for the previous one.
 */
function sumUp<T>(row: usize, bytes: usize, shift: f64, rest: f64): void {
  const pairs = bytes - (bytes % (2 * VECTOR));
  const zero = splat<T>(0);
  const less = splat<T>(shift);
  const lesser = splat<T>(rest);
  total = 0;
  squares = 0;
  let i: usize = 0;
  while (i < pairs) {
    const end = min(i + 2 * RUN, pairs);
    let total8 = zero, otherTotal8 = zero;
    let squares8 = zero, otherSquares8 = zero;
    for (; i < end; i += 2 * VECTOR) {
      const u = v128.sub<T>(v128.sub<T>(v128.load(row + i), less), lesser);
      const v = v128.sub<T>(v128.sub<T>(v128.load(row + i, VECTOR), less), lesser);
      total8 = v128.add<T>(total8, u);
      otherTotal8 = v128.add<T>(otherTotal8, v);
      squares8 = madd<T>(u, u, squares8);
      otherSquares8 = madd<T>(v, v, otherSquares8);
    }
    total += sum<T>(v128.add<T>(total8, otherTotal8));
    squares += sum<T>(v128.add<T>(squares8, otherSquares8));
  }
  for (; i < bytes; i += sizeof<T>()) {
    const u = (load<T>(row + i) as f64) - shift - rest;
    total += u;
    squares += u * u;
  }
}

/** Standardizes the first columns of a row in place; returns the deviation. */
export function standardize<T>(row: usize, columns: i32): f64 {
  const n = columns as f64;
  const bytes = (columns as usize) * sizeof<T>();
  // The second mean corrects the rounding error of the first mean, which may be large compared with
  // a small deviation.
  sumUp<T>(row, bytes, 0, 0);
  const mean = ((total / n) as T) as f64;
  sumUp<T>(row, bytes, mean, 0);
  const rest = ((total / n) as T) as f64;
  const excess = n * rest * rest;
  if (excess > SMALL * squares) sumUp<T>(row, bytes, mean, rest);
  else squares -= excess;
  // If the squares overflow, the row becomes NaN, and JavaScript computes it.
  const deviation = columns > 1 ? sqrt(squares < Infinity ? squares / (n - 1) : NaN) : 0;
  const inverse = splat<T>(1 / (deviation + EPSILON));
  const less = splat<T>(mean);
  const lesser = splat<T>(rest);
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    const u = v128.sub<T>(v128.sub<T>(v128.load(row + i), less), lesser);
    v128.store(row + i, v128.mul<T>(u, inverse));
  }
  // Padding stays ruled out.
  for (let i = bytes; i < ((bytes + 15) & ~15); i += sizeof<T>()) store<T>(row + i, -Infinity as T);
  return deviation;
}

/**
 * Turns d(loss) / d(x) into d(loss) / d(z), in place, for the standardized row x. The padding of
 * both has to be 0.
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
  // d deviation / d z = (z − mean) / ((n − 1) · deviation). The derivative of a constant row, with
  // deviation 0, has no such part.
  const pull = splat<T>(deviation > 0 ? (along * length) / ((n - 1) * deviation) : 0);
  const mean = splat<T>(total / n);
  const inverse = splat<T>(1 / length);
  for (let i: usize = 0; i < width; i += VECTOR) {
    const g = v128.sub<T>(v128.load(derivative + i), mean);
    v128.store(derivative + i, v128.mul<T>(nmadd<T>(pull, v128.load(x + i), g), inverse));
  }
}
