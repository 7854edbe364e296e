// Compares the conditional probabilities of pairs of rows, which follow from their cosines.

import type { Grid } from '../products/grid.js';
import type { Derivative, PairLoss } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { type Directions, directionsOf } from './directions.js';
import { TOLERANCE, withProducts } from './gram.js';
import { cosineAdjoint, pairCosines } from './pairCosines.js';

/** Addend of norms and probabilities, as in the authors' code. */
const EPSILON = 1e-7;

/**
 * Cosines and sums for the conditional probabilities p(j | i) = s(i, j) / Σ_k s(i, k), with s = 1 +
 * cosine. The authors' s is half of this; the factor cancels.
 */
interface Affinities {
  /**
   * The student's cosines, and student's − teacher's cosines; only the elements on and above the
   * diagonal are set.
   */
  readonly cosines: Float64Array;
  readonly gaps: Float64Array;
  /** Sum of the gaps of each row. */
  readonly gains: Float64Array;
  /** 1 / Σ s(i, k) of each row of the student, and of the teacher. */
  readonly inverses: Float64Array;
  readonly targetInverses: Float64Array;
  /** Σ of the squared errors of gaps, each relative to s. */
  readonly error: number;
}

function affinities(own: Directions, other: Directions, precision: Precision): Affinities {
  const relative = (cosine: number): number => 1 / (1 + cosine) ** 2;
  const { cosines, gaps, error } = pairCosines(own, other, precision, relative);
  const rows = own.factors.length;
  const sums = new Float64Array(rows);
  const gains = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let [sum, gain] = [0, 0];
    for (let j = i; j < rows; j++) {
      const affinity = 1 + cosines[i * rows + j]!;
      const gap = gaps[i * rows + j]!;
      sum += affinity;
      gain += gap;
      if (i === j) continue;
      sums[j]! += affinity;
      gains[j]! += gap;
    }
    sums[i]! += sum;
    gains[i]! += gain;
  }
  const inverses = sums.map((sum) => 1 / sum);
  const targetInverses = sums.map((sum, i) => 1 / (sum - gains[i]!));
  return { cosines, gaps, gains, inverses, targetInverses, error };
}

/**
 * Computes the mean over i and j of p(j | i) · log((p(j | i) + 1e-7) / (q(j | i) + 1e-7)), with the
 * teacher's probabilities p and the student's q. Products are in float32, if they are precise
 * enough.
 */
export function affinityDivergence(
  student: Grid,
  teacher: Grid,
  withDerivative: boolean,
): PairLoss {
  return withProducts(student, (precision) =>
    divergenceOf(student, teacher, withDerivative, precision),
  );
}

/** Returns the divergence; undefined if float32 products are not precise enough. */
function divergenceOf(
  student: Grid,
  teacher: Grid,
  withDerivative: boolean,
  precision: Precision,
): PairLoss | undefined {
  const { rows } = student;
  const own = directionsOf(student, EPSILON, precision);
  const pairs = affinities(own, directionsOf(teacher, EPSILON, precision), precision);
  const { cosines, gaps, gains, inverses: f, targetInverses: e } = pairs;
  const means = new Float64Array(rows); // Σ q (1 − p / (q + 1e-7)) of each row
  let sum = 0;
  let squares = 0; // of relative differences of p and q
  for (let i = 0; i < rows; i++) {
    const [fi, ei, gain] = [f[i]!, e[i]!, gains[i]!];
    let mean = 0;
    for (let j = i; j < rows; j++) {
      const affinity = 1 + cosines[i * rows + j]!;
      const gap = gaps[i * rows + j]!;
      const p = (affinity - gap) * ei;
      const q = affinity * fi;
      const more = fi * (gap - p * gain); // q − p
      const inverse = 1 / (q + EPSILON);
      sum += excessOf(p, more, inverse);
      mean += q * (more + EPSILON) * inverse;
      squares += (more * inverse) ** 2;
      if (i === j) continue;
      // The element below the diagonal: probabilities of i given j.
      const turnedP = (affinity - gap) * e[j]!;
      const turnedQ = affinity * f[j]!;
      const turnedMore = f[j]! * (gap - turnedP * gains[j]!);
      const turnedInverse = 1 / (turnedQ + EPSILON);
      sum += excessOf(turnedP, turnedMore, turnedInverse);
      means[j]! += turnedQ * (turnedMore + EPSILON) * turnedInverse;
    }
    means[i]! += mean;
  }
  if (precision === 'float32' && !(pairs.error <= TOLERANCE ** 2 * squares)) return undefined;
  const loss = sum / rows ** 2;
  if (!withDerivative) return { loss };
  return { loss, derivative: derivativeOf(pairs, own, means) };
}

/** Returns the derivative with respect to the student's rows. Overwrites the gaps. */
function derivativeOf(pairs: Affinities, own: Directions, means: Float64Array): Derivative {
  const { cosines, gaps, gains, inverses: f, targetInverses: e } = pairs;
  const rows = f.length;
  const scale = 1 / rows ** 2;
  for (let i = 0; i < rows; i++) {
    const [fi, ei, gain, mean] = [f[i]!, e[i]!, gains[i]!, means[i]!];
    for (let j = i; j < rows; j++) {
      const affinity = 1 + cosines[i * rows + j]!;
      const gap = gaps[i * rows + j]!;
      const target = affinity - gap;
      // 1 − p / q instead of −p / q, which avoids cancellation. The added constant has no effect,
      // because the probabilities q of a row sum to 1.
      const more = fi * (gap - target * ei * gain);
      const slope = (more + EPSILON) / (affinity * fi + EPSILON) - mean;
      const turnedMore = f[j]! * (gap - target * e[j]! * gains[j]!);
      const turned = (turnedMore + EPSILON) / (affinity * f[j]! + EPSILON) - means[j]!;
      gaps[i * rows + j] = scale * (slope * fi + turned * f[j]!);
    }
  }
  return cosineAdjoint(own, cosines, gaps);
}

/**
 * Returns p log((p + 1e-7) / (q + 1e-7)) + q − p, for `more` = q − p and `inverse` = 1 / (q +
 * 1e-7). The addend q − p sums to 0 over a row; it removes the first order of each term, which
 * would cancel in the sum.
 */
function excessOf(p: number, more: number, inverse: number): number {
  const x = -more * inverse;
  // Most arguments are near 0, where this series takes a fraction of the time of Math.log1p.
  if (!(Math.abs(x) < 0.1)) return p * Math.log1p(x) + more;
  // log(1 + x) = 2 artanh(s)
  const s = x / (2 + x);
  const z = s * s;
  const series = z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * (1 / 11)))));
  return p * s * (2 * series - x) - x * (more + EPSILON);
}
