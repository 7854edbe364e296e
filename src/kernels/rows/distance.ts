import type { FloatArray } from '../../core/numeric.js';
import { divergence } from './divergence.js';

/**
 * A distance between two rows: returns its value and, where `derivative` is given, writes its
 * derivative with respect to `x` there. Rows start at `xOffset` and `yOffset`.
 */
export type RowDistance = (
  x: FloatArray,
  xOffset: number,
  y: FloatArray,
  yOffset: number,
  columns: number,
  derivative?: Float64Array,
) => number;

/** mean (x − y)² */
export const meanSquared: RowDistance = (x, xOffset, y, yOffset, columns, derivative) => {
  let sum = 0;
  for (let j = 0; j < columns; j++) {
    const u = x[xOffset + j]! - y[yOffset + j]!;
    sum += u * u;
    if (derivative) derivative[j] = (2 * u) / columns;
  }
  return sum / columns;
};

/** ‖x − y‖; the derivative at x = y is 0 */
export const euclideanDistance: RowDistance = (x, xOffset, y, yOffset, columns, derivative) => {
  const u = derivative ?? new Float64Array(columns);
  for (let j = 0; j < columns; j++) u[j] = x[xOffset + j]! - y[yOffset + j]!;
  const length = norm(u, 0, columns);
  if (derivative && length > 0) {
    for (let j = 0; j < columns; j++) derivative[j]! /= length;
  }
  return length;
};

/** mean |x − y|; the derivative at a tie is 0 */
export const meanAbsolute: RowDistance = (x, xOffset, y, yOffset, columns, derivative) => {
  let sum = 0;
  for (let j = 0; j < columns; j++) {
    const u = x[xOffset + j]! - y[yOffset + j]!;
    sum += Math.abs(u);
    if (derivative) derivative[j] = Math.sign(u) / columns;
  }
  return sum / columns;
};

/** The derivative of Huber's loss at u. */
export function huberSlope(u: number, delta: number): number {
  return Math.max(-delta, Math.min(u, delta));
}

/** Huber's loss, ½ u² for |u| ≤ δ and δ (|u| − ½ δ) beyond, by its slope at u. */
export function huberValue(u: number, slope: number): number {
  return slope * (u - 0.5 * slope);
}

/** mean of Huber's loss of x − y */
export function huber(delta: number): RowDistance {
  return (x, xOffset, y, yOffset, columns, derivative) => {
    let sum = 0;
    for (let j = 0; j < columns; j++) {
      const u = x[xOffset + j]! - y[yOffset + j]!;
      const slope = huberSlope(u, delta);
      sum += huberValue(u, slope);
      if (derivative) derivative[j] = slope / columns;
    }
    return sum / columns;
  };
}

/**
 * factor · (1 − cos(x, y)) = factor · ½ |x/‖x‖ − y/‖y‖|²; where a row is zero, what `degenerate`
 * says, with derivative 0. The right-hand form is exactly 0, with derivative 0, at x = y.
 */
function chord(factor: number, degenerate: (xNorm: number, yNorm: number) => number): RowDistance {
  return (x, xOffset, y, yOffset, columns, derivative) => {
    const xNorm = norm(x, xOffset, columns);
    const yNorm = norm(y, yOffset, columns);
    if (Math.min(xNorm, yNorm) === 0) {
      derivative?.fill(0);
      return degenerate(xNorm, yNorm);
    }
    let sum = 0;
    let along = 0;
    for (let j = 0; j < columns; j++) {
      const unit = x[xOffset + j]! / xNorm;
      const u = unit - y[yOffset + j]! / yNorm;
      sum += u * u;
      along += unit * u;
    }
    if (derivative) {
      for (let j = 0; j < columns; j++) {
        const unit = x[xOffset + j]! / xNorm;
        derivative[j] = (factor * (unit - y[yOffset + j]! / yNorm - along * unit)) / xNorm;
      }
    }
    return factor * 0.5 * sum;
  };
}

/** 1 − cos(x, y); where a row is zero, 1 with derivative 0 */
export const cosineDistance: RowDistance = chord(1, () => 1);

/** |x/‖x‖ − y/‖y‖|²; a zero row takes the place of its own direction, with derivative 0 */
export const squaredChord: RowDistance = chord(2, (xNorm, yNorm) => (xNorm === yNorm ? 0 : 1));

/**
 * Σ y log(y/x) − y + x of two rows of probabilities: KL(y ‖ x), since both sum to 1. The last two
 * terms make the derivative 1 − y/x vanish at x = y; a softmax below takes the difference of a
 * constant out again.
 */
export const probabilityDivergence: RowDistance = (x, xOffset, y, yOffset, columns, derivative) => {
  let sum = 0;
  for (let j = 0; j < columns; j++) {
    const q = x[xOffset + j]!;
    const p = y[yOffset + j]!;
    const ratio = (q - p) / p;
    sum += divergence(p, q, Math.abs(ratio) < 0.1 ? Math.log1p(ratio) : Math.log(q) - Math.log(p));
    if (derivative) derivative[j] = p === 0 ? Math.sign(q) : 1 - p / q;
  }
  return sum;
};

/**
 * ‖x‖ of one row, without overflow or underflow on the way; NaN where even the norm is too large.
 */
export function norm(x: FloatArray, offset: number, columns: number): number {
  let largest = 0;
  for (let j = 0; j < columns; j++) {
    largest = Math.max(largest, Math.abs(x[offset + j]!)); // a NaN stays
  }
  if (largest === 0) return 0;
  let sum = 0;
  for (let j = 0; j < columns; j++) {
    const unit = x[offset + j]! / largest;
    sum += unit * unit;
  }
  const length = largest * Math.sqrt(sum);
  return length < Infinity ? length : Number.NaN; // dividing by Infinity would pass for a zero row
}
