// Rows as probabilities of each other, by their cosine.

import { type Grid, grid } from '../products/grid.js';
import { norm } from '../rows/distance.js';
import { addGramAdjoint, gram } from './gram.js';

/** What is added to norms and probabilities, as in the authors' code. */
const EPSILON = 1e-7;

/** The affinities of rows, with what their derivative needs. */
interface Affinities {
  /** p(j | i) = s(i, j) / Σ s(i, k), s = (1 + cosine) / 2, one i after another. */
  readonly p: Float64Array;
  /** Σ s(i, k) of each row. */
  readonly sums: Float64Array;
  /** x / (‖x‖ + 1e-7) */
  readonly units: Grid;
  readonly norms: Float64Array;
}

function affinities({ data, rows, columns }: Grid): Affinities {
  const units = new Float64Array(rows * columns);
  const norms = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    norms[i] = norm(data, i * columns, columns);
    for (let k = i * columns; k < (i + 1) * columns; k++)
      units[k] = data[k]! / (norms[i]! + EPSILON);
  }
  const p = gram(grid(units, rows, columns));
  const sums = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    for (let k = i * rows; k < (i + 1) * rows; k++) {
      p[k] = (1 + p[k]!) / 2;
      sums[i]! += p[k]!;
    }
    for (let k = i * rows; k < (i + 1) * rows; k++) p[k]! /= sums[i]!;
  }
  return { p, sums, units: grid(units, rows, columns), norms };
}

/**
 * mean over i and j of p(j | i) · log((p(j | i) + 1e-7) / (q(j | i) + 1e-7)), p the affinities of the teacher's rows and q
 * those of the student's. Where `derivative` is given, as zeros, it is written with the derivative by the student.
 */
export function affinityDivergence(
  student: Grid,
  teacher: Grid,
  derivative: Float64Array | undefined,
): number {
  const { rows } = student;
  const { p } = affinities(teacher);
  const own = affinities(student);
  const pairs = rows * rows;
  const slope = new Float64Array(pairs);
  let sum = 0;
  for (let k = 0; k < pairs; k++) {
    const q = own.p[k]! + EPSILON;
    sum += p[k]! * Math.log((p[k]! + EPSILON) / q);
    slope[k] = (q - p[k]!) / q / pairs; // a constant more than −p/q: over a row, the sum of q takes it out
  }
  if (derivative) addAffinityAdjoint(slope, own, derivative);
  return sum / pairs;
}

/** The adjoint of {@link affinities}: derivative += d loss / d x for the slope of a loss by each p. Uses up the slope. */
function addAffinityAdjoint(
  slope: Float64Array,
  { p, sums, units, norms }: Affinities,
  derivative: Float64Array,
): void {
  const { data, rows, columns } = units;
  for (let i = 0; i < rows; i++) {
    let mean = 0;
    for (let k = i * rows; k < (i + 1) * rows; k++) mean += p[k]! * slope[k]!;
    for (let k = i * rows; k < (i + 1) * rows; k++) slope[k] = (slope[k]! - mean) / (2 * sums[i]!);
  }
  addGramAdjoint(slope, units, derivative);
  for (let i = 0; i < rows; i++) {
    const length = norms[i]! + EPSILON;
    let along = 0;
    for (let k = i * columns; k < (i + 1) * columns; k++) along += derivative[k]! * data[k]!;
    // d ‖x‖ / d x = x / ‖x‖; at x = 0 the product of the two is of second order.
    const pull = norms[i] === 0 ? 0 : (along * length) / norms[i]!;
    for (let k = i * columns; k < (i + 1) * columns; k++) {
      derivative[k] = (derivative[k]! - pull * data[k]!) / length;
    }
  }
}
