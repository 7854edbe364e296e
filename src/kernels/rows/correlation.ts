import type { FloatArray } from '../../core/numeric.js';

/** What is added to the product of the norms, as in the authors' code. */
const EPSILON = 1e-8;

/**
 * Numbers of an array that stand `stride` apart, from an offset on: a row of a matrix, or a column.
 */
export interface Line {
  readonly offset: number;
  readonly stride: number;
  readonly count: number;
}

/**
 * weight · (1 − ρ), ρ = a · b / (‖a‖ ‖b‖ + 1e-8), where a and b are the probabilities of x and y on
 * a line, less their mean. slope += its derivative by x. Where all of x or y are equal, ρ is 0.
 */
export function correlationDistance(
  x: FloatArray,
  y: FloatArray,
  { offset, stride, count }: Line,
  weight: number,
  slope: Float64Array,
): number {
  const end = offset + count * stride;
  const [x0, y0] = [x[offset]!, y[offset]!]; // less these, what is equal is exactly 0
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
  // d ρ / d a = (b − ρ ‖b‖ a / ‖a‖) / denominator. It sums to 0 as a and b do: the mean has no part
  // in it.
  for (let k = offset; k < end; k += stride) {
    const unit = aNorm === 0 ? 0 : (x[k]! - x0 - xMean) / aNorm;
    const b = y[k]! - y0 - yMean;
    slope[k]! -= (weight * (b - correlation * bNorm * unit)) / denominator;
  }
  return weight * (1 - correlation);
}
