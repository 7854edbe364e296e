// Which rows a row is similar to, as a distribution over all others.

import type { Grid } from '../products/grid.js';
import type { Derivative, PairLoss } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { scoreDivergences } from '../rows/scoreRows.js';
import { type Directions, directionsOf } from './directions.js';
import { mirror, sumOf, TOLERANCE, withProducts } from './gram.js';
import { cosineAdjoint, type PairCosines, pairCosines } from './pairCosines.js';
import { addTransposed } from './pairProducts.js';

/** What the cosines of either side are divided by. */
export interface SimilarityTemperatures {
  readonly student: number;
  readonly teacher: number;
}

/**
 * Mean over rows i of KL(p ‖ q) of the distributions over j ≠ i: p the softmax of cos(tᵢ, tⱼ) / τ
 * of the teacher's rows, q that of the student's. A row of zeros has the cosine 0, with derivative
 * 0. Float32 products are used unless their errors show.
 */
export function similarityDivergence(
  student: Grid,
  teacher: Grid,
  temperatures: SimilarityTemperatures,
  wanted: boolean,
): PairLoss {
  return withProducts(student, (precision) => {
    const own = directionsOf(student, 0, precision);
    const other = directionsOf(teacher, 0, precision);
    // One other row at most: nothing to choose between, but a NaN has to be seen.
    if (student.rows < 3) return { loss: 0 * (sumOf(own.norms) + sumOf(other.norms)) };
    return divergenceOf(own, other, temperatures, { wanted, precision });
  });
}

/** Undefined where float32 products are not precise enough. */
function divergenceOf(
  own: Directions,
  other: Directions,
  temperatures: SimilarityTemperatures,
  { wanted, precision }: { readonly wanted: boolean; readonly precision: Precision },
): PairLoss | undefined {
  const rows = own.factors.length;
  const pairs = pairCosines(own, other, precision, () => 1);
  toScores(pairs, rows, temperatures);
  const { cosines: scores, gaps: targets } = pairs;
  const slopes = wanted ? new Float64Array(rows * rows) : undefined;
  const loss = scoreDivergences(scores, targets, rows, slopes) / rows;
  if (precision === 'float32' && !isPrecise(pairs, rows, temperatures, loss)) return undefined;
  if (!slopes) return { loss };
  return { loss, derivative: derivativeOf(own, scores, slopes, temperatures.student) };
}

/**
 * Cosines become the scores of the student, and gaps those of the teacher, whole; no row is its own
 * neighbour.
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
 * Whether the errors of scores show. The divergence is about half the mean square of how much
 * scores differ: errors of gaps are compared with that, up to where a score is off by 1 and more;
 * those of the teacher are errors of probabilities, relative to themselves.
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

/** By scores, of which each is that of a pair both ways. Overwrites scores and slopes. */
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
