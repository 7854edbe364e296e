// Compares the similarities of each row to all other rows, as distributions.

import type { Grid } from '../products/grid.js';
import type { Derivative, PairLoss } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { scoreDivergences } from '../rows/scoreRows.js';
import { type Directions, directionsOf } from './directions.js';
import { mirror, sumOf, TOLERANCE, withProducts } from './gram.js';
import { cosineAdjoint, type PairCosines, pairCosines } from './pairCosines.js';
import { addTransposed } from './pairProducts.js';

/** Divisors of the cosines of each side. */
export interface SimilarityTemperatures {
  readonly student: number;
  readonly teacher: number;
}

/**
 * Computes the mean over rows i of KL(p ‖ q) for distributions over j ≠ i: p is the softmax of
 * cos(tᵢ, tⱼ) / τ of the teacher's rows, q the softmax of the student's. The cosine of a row of
 * zeros is 0, with derivative 0. Products are in float32, if they are precise enough.
 */
export function similarityDivergence(
  student: Grid,
  teacher: Grid,
  temperatures: SimilarityTemperatures,
  withDerivative: boolean,
): PairLoss {
  return withProducts(student, (precision) => {
    const own = directionsOf(student, 0, precision);
    const other = directionsOf(teacher, 0, precision);
    // With one or two rows each distribution has at most one element: the loss is 0, or NaN.
    if (student.rows < 3) return { loss: 0 * (sumOf(own.norms) + sumOf(other.norms)) };
    return divergenceOf(own, other, temperatures, { withDerivative, precision });
  });
}

/** Returns the divergence; undefined if float32 products are not precise enough. */
function divergenceOf(
  own: Directions,
  other: Directions,
  temperatures: SimilarityTemperatures,
  {
    withDerivative,
    precision,
  }: { readonly withDerivative: boolean; readonly precision: Precision },
): PairLoss | undefined {
  const rows = own.factors.length;
  const pairs = pairCosines(own, other, precision, () => 1);
  toScores(pairs, rows, temperatures);
  const { cosines: scores, gaps: targets } = pairs;
  const slopes = withDerivative ? new Float64Array(rows * rows) : undefined;
  const loss = scoreDivergences(scores, targets, rows, slopes) / rows;
  if (precision === 'float32' && !isPrecise(pairs, rows, temperatures, loss)) return undefined;
  if (!slopes) return { loss };
  return { loss, derivative: derivativeOf(own, scores, slopes, temperatures.student) };
}

/**
 * Turns cosines into the student's scores and gaps into the teacher's scores, in place, for whole
 * matrices. The score of a row with itself is −Infinity.
 */
function toScores(
  { cosines, gaps }: PairCosines,
  rows: number,
  { student, teacher }: SimilarityTemperatures,
): void {
  for (let i = 0; i < rows; i++) {
    cosines[i * rows + i] = -Infinity;
    gaps[i * rows + i] = -Infinity;
    for (let k = i * rows + i + 1; k < (i + 1) * rows; k++) {
      const cosine = cosines[k]!;
      cosines[k] = cosine / student;
      gaps[k] = (cosine - gaps[k]!) / teacher;
    }
  }
  mirror(cosines, rows);
  mirror(gaps, rows);
}

/**
 * Whether the errors of the scores are small enough. The divergence is about half the mean squared
 * difference of the scores, with which the errors of gaps are compared, up to a squared difference
 * of 4. An error of a teacher's score is a relative error of a probability.
 */
function isPrecise(
  { error, teacherVariance }: PairCosines,
  rows: number,
  temperatures: SimilarityTemperatures,
  loss: number,
): boolean {
  const pairs = (rows * (rows + 1)) / 2;
  const ofGaps = error / pairs / temperatures.student ** 2;
  const ofTeacher = teacherVariance / temperatures.teacher ** 2;
  const limit = TOLERANCE ** 2;
  return ofGaps <= limit * Math.min(2 * loss, 4) && ofTeacher <= 4 * limit;
}

/**
 * Returns the derivative with respect to the student's rows. The score of a pair enters two
 * distributions, so that both slopes are added. Overwrites scores and slopes.
 */
function derivativeOf(
  own: Directions,
  scores: Float64Array,
  slopes: Float64Array,
  temperature: number,
): Derivative {
  const rows = own.factors.length;
  const scale = 1 / (rows * temperature);
  addTransposed(slopes, rows);
  for (let i = 0; i < rows; i++) {
    scores[i * rows + i] = 1;
    for (let k = i * rows + i + 1; k < (i + 1) * rows; k++) {
      scores[k]! *= temperature;
      slopes[k]! *= scale;
    }
  }
  return cosineAdjoint(own, scores, slopes);
}
