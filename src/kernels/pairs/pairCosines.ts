// Cosines of all pairs of rows of both sides, and their differences.

import type { Derivative } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { type Directions, directionAdjoint } from './directions.js';
import { mirror } from './gram.js';
import { type PairProducts, pairProducts } from './pairProducts.js';

/** Cosines of pairs of rows. Only the elements on and above the diagonal are set. */
export interface PairCosines {
  /** The student's cosines, in the shape [rows, rows]. */
  readonly cosines: Float64Array;
  /** Student's − teacher's cosines, which are precise also if the difference is small. */
  readonly gaps: Float64Array;
  /** Σ over pairs of the mean squared error of a gap, times the weight of the pair. */
  readonly error: number;
  /** Mean squared error of a teacher's cosine. */
  readonly teacherVariance: number;
}

/**
 * Computes the cosines of both sides as products of directions, which have the same floor.
 *
 * @param weightOf - returns the weight of the error of a pair with this cosine of the student
 */
export function pairCosines(
  own: Directions,
  other: Directions,
  precision: Precision,
  weightOf: (cosine: number) => number,
): PairCosines {
  const products = pairProducts(own, other, precision);
  const { excess, teacher, base } = products;
  const { products: cosines, a, b } = excess;
  const { products: gaps } = teacher;
  const { factors: f } = own;
  const { factors: e } = other;
  const rows = f.length;
  const weights = factorDifferences(products, own, other);
  const left = a.map((square, i) => excess.variance * square * f[i]! ** 2);
  const right = b.map((square, i) => square * f[i]! ** 2);
  const isExact = precision === 'float64';
  let error = 0;
  for (let i = 0; i < rows; i++) {
    const factor = f[i]!;
    const target = e[i]!;
    const weight = base * weights[i]!;
    const targetVariance = 2 * teacher.variance * teacher.a[i]!;
    for (let j = i; j < rows; j++) {
      const k = i * rows + j;
      const share = weight * f[j]! + target * weights[j]!;
      const both = factor * f[j]!;
      const cosine = (cosines[k]! + base * gaps[k]!) * both;
      gaps[k] = cosines[k]! * both + gaps[k]! * share;
      cosines[k] = cosine;
      if (isExact) continue;
      const targetPart = targetVariance * teacher.a[j]! * share * share;
      const variance = left[i]! * right[j]! + right[i]! * left[j]! + targetPart;
      error += variance * weightOf(cosine);
    }
  }
  return { cosines, gaps, error, teacherVariance: 2 * teacher.variance };
}

/**
 * Returns the differences fᵢ − eᵢ of the student's factors f and the teacher's factors e, without
 * cancellation. They serve fᵢ fⱼ − eᵢ eⱼ = (fᵢ − eᵢ) fⱼ + eᵢ (fⱼ − eⱼ). If `base` is 0, returns
 * −eᵢ.
 */
function factorDifferences(
  { excess, base }: PairProducts,
  own: Directions,
  other: Directions,
): Float64Array {
  const { factors: f } = own;
  const rows = f.length;
  return other.factors.map((target, i) => {
    if (base === 0) return -target;
    const length = own.norms[i]! * other.norms[i]! === 0 ? 0 : own.norms[i]! + other.norms[i]!;
    if (length === 0) return f[i]! - target;
    return (-excess.products[i * rows + i]! / length) * f[i]! * target;
  });
}

/**
 * Adjoint of the cosines: returns the derivative with respect to the student's rows, for the slope
 * d(loss) / d(cosine) of each pair on and above the diagonal. Overwrites the slopes.
 */
export function cosineAdjoint(
  own: Directions,
  cosines: Float64Array,
  slopes: Float64Array,
): Derivative {
  const { factors } = own;
  const rows = factors.length;
  const alongs = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const factor = factors[i]!;
    let sum = 0;
    for (let j = i; j < rows; j++) {
      const k = i * rows + j;
      const along = slopes[k]! * cosines[k]!;
      sum += along;
      if (i !== j) alongs[j]! += along;
      slopes[k]! *= factor * factors[j]!;
    }
    alongs[i]! += sum;
  }
  mirror(slopes, rows);
  return directionAdjoint(own, own, slopes, alongs);
}
