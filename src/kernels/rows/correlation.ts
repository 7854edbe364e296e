import type { FloatArray } from '../../core/numeric.js';

/** Addend of the product of the norms, as in the authors' code. */
const EPSILON = 1e-8;

/**
 * `count` elements of an array, from an offset on and `stride` apart: a row or a column of a
 * matrix.
 */
export interface Line {
  readonly offset: number;
  readonly stride: number;
  readonly count: number;
}

/**
 * Returns weight · (1 − ρ) with Pearson's correlation ρ = a · b / (‖a‖ ‖b‖ + 1e-8), where a and b
 * are the elements of x and y on a line, less their means. Adds the derivative with respect to x to
 * `slope`. ρ is 0 if all elements of x or of y are equal.
 */
export function correlationDistance(
  x: FloatArray,
  y: FloatArray,
  { offset, stride, count }: Line,
  weight: number,
  slope: Float64Array,
): number {
  const end = offset + count * stride;
  // Subtracted first, so that equal elements become exactly 0.
  const [x0, y0] = [x[offset]!, y[offset]!];
  let xMean = 0;
  let yMean = 0;
  for (let k = offset; k < end; k += stride) {
    xMean += (x[k]! - x0) / count;
    yMean += (y[k]! - y0) / count;
  }
  let aa = 0;
  let bb = 0;
  let ab = 0;
  for (let k = offset; k < end; k += stride) {
    const a = x[k]! - x0 - xMean;
    const b = y[k]! - y0 - yMean;
    aa += a * a;
    bb += b * b;
    ab += a * b;
  }
  const aNorm = Math.sqrt(aa);
  const bNorm = Math.sqrt(bb);
  const denominator = aNorm * bNorm + EPSILON;
  const correlation = ab / denominator;
  // d ρ / d a = (b − ρ ‖b‖ a / ‖a‖) / denominator. It sums to 0, as a and b do, so that subtracting
  // the mean needs no adjoint.
  for (let k = offset; k < end; k += stride) {
    const unit = aNorm === 0 ? 0 : (x[k]! - x0 - xMean) / aNorm;
    const b = y[k]! - y0 - yMean;
    slope[k]! -= (weight * (b - correlation * bNorm * unit)) / denominator;
  }
  return weight * (1 - correlation);
}
