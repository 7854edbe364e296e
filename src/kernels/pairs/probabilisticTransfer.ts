// Rows as probabilities of each other, by their cosine.

import type { Grid } from '../products/grid.js';
import type { Derivative } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { type Directions, directionAdjoint, directionsOf } from './directions.js';
import { mirror, productsOf, TOLERANCE, withProducts } from './gram.js';

/** What is added to norms and probabilities, as in the authors' code. */
const EPSILON = 1e-7;

/** The affinities of rows, p(j | i) = s(i, j) / Σ s(i, k) with s = (1 + cosine) / 2. */
interface Affinities {
  /** s, from the diagonal on to the right. */
  readonly s: Float64Array;
  /** 1 / Σ s(i, k) of each row. */
  readonly inverses: Float64Array;
  readonly directions: Directions;
  /** Root mean square of the errors of s. */
  readonly error: number;
}

interface Divergence {
  readonly loss: number;
  readonly derivative?: Derivative;
}

function affinities(x: Grid, precision: Precision): Affinities {
  const directions = directionsOf(x, EPSILON, precision);
  const { factors, squares } = directions;
  const { products: s, error } = productsOf(directions.rows, precision, squares);
  const { rows } = x;
  const sums = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const factor = factors[i]! / 2;
    const own = 0.5 + s[i * rows + i]! * factor * factors[i]!;
    s[i * rows + i] = own;
    let sum = own;
    for (let j = i + 1; j < rows; j++) {
      const affinity = 0.5 + s[i * rows + j]! * factor * factors[j]!;
      s[i * rows + j] = affinity;
      sum += affinity;
      sums[j]! += affinity;
    }
    sums[i]! += sum;
  }
  return { s, inverses: sums.map((sum) => 1 / sum), directions, error: error / 2 };
}

/**
 * mean over i and j of p(j | i) · log((p(j | i) + 1e-7) / (q(j | i) + 1e-7)), p the affinities of the teacher's rows and q
 * those of the student's. Float32 products are used unless the errors of the products show.
 */
export function affinityDivergence(student: Grid, teacher: Grid, wanted: boolean): Divergence {
  return withProducts(student, (precision) => divergenceOf(student, teacher, wanted, precision));
}

/** Undefined where float32 products are not precise enough. */
function divergenceOf(
  student: Grid,
  teacher: Grid,
  wanted: boolean,
  precision: Precision,
): Divergence | undefined {
  const { rows } = student;
  const own = affinities(student, precision);
  const other = affinities(teacher, precision);
  const { s, inverses: f } = own;
  const { s: t, inverses: e } = other;
  const means = new Float64Array(rows); // Σ q (1 − p / (q + 1e-7)) of each row
  // Rows of p and of q have the same sum: with q − p, no term is of first order, and less cancels.
  let sum = 0;
  let squares = 0; // of relative differences of p and q
  let shares = 0; // Σ 1 / s²: what the errors of s are relative to
  for (let i = 0; i < rows; i++) {
    const [fi, ei] = [f[i]!, e[i]!];
    let mean = 0;
    for (let j = i; j < rows; j++) {
      const affinity = s[i * rows + j]!;
      const target = t[i * rows + j]!;
      const p = target * ei;
      const q = affinity * fi;
      const inverse = 1 / (q + EPSILON);
      const difference = (p - q) * inverse;
      sum += p * logOnePlus(difference) + (q - p);
      mean += q * (q + EPSILON - p) * inverse;
      squares += difference * difference;
      shares += 1 / (affinity * affinity);
      if (i === j) continue;
      // The same from row j to row i.
      const turnedP = target * e[j]!;
      const turnedQ = affinity * f[j]!;
      const turnedInverse = 1 / (turnedQ + EPSILON);
      const turnedDifference = (turnedP - turnedQ) * turnedInverse;
      sum += turnedP * logOnePlus(turnedDifference) + (turnedQ - turnedP);
      means[j]! += turnedQ * (turnedQ + EPSILON - turnedP) * turnedInverse;
    }
    means[i]! += mean;
  }
  const error = (own.error ** 2 + other.error ** 2) * shares;
  if (precision === 'float32' && !(error <= TOLERANCE ** 2 * squares)) return undefined;
  const loss = sum / rows ** 2;
  if (!wanted) return { loss };
  return { loss, derivative: derivativeOf(own, other, means) };
}

/** Overwrites the affinities of the student. */
function derivativeOf(own: Affinities, other: Affinities, means: Float64Array): Derivative {
  const { s, inverses: f, directions } = own;
  const { s: t, inverses: e } = other;
  const { factors } = directions;
  const rows = f.length;
  const alongs = new Float64Array(rows);
  const scale = 0.5 / rows ** 2;
  for (let i = 0; i < rows; i++) {
    const [fi, ei, mean, factor] = [f[i]!, e[i]!, means[i]!, factors[i]!];
    let sum = 0;
    for (let j = i; j < rows; j++) {
      const affinity = s[i * rows + j]!;
      const target = t[i * rows + j]!;
      // 1 − p / q: a constant more than −p / q, since over a row the sum of q takes a constant out.
      const q = affinity * fi;
      const slope = (q + EPSILON - target * ei) * (1 / (q + EPSILON)) - mean;
      const turnedQ = affinity * f[j]!;
      const turned = (turnedQ + EPSILON - target * e[j]!) * (1 / (turnedQ + EPSILON)) - means[j]!;
      const both = scale * (slope * fi + turned * f[j]!);
      const along = both * (2 * affinity - 1);
      sum += along;
      if (i !== j) alongs[j]! += along;
      s[i * rows + j] = both * factor * factors[j]!;
    }
    alongs[i]! += sum;
  }
  mirror(s, rows);
  return directionAdjoint(directions, directions, s, alongs);
}

/** log(1 + x); what is near 0, as most of them are, in a fraction of the time of Math.log1p. */
function logOnePlus(x: number): number {
  if (!(Math.abs(x) < 0.1)) return Math.log1p(x);
  // 2 artanh(s)
  const s = x / (2 + x);
  const z = s * s;
  const series = z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * (1 / 11)))));
  return 2 * (s + s * series);
}
