import type { FloatArray } from '../../core/numeric.js';
import { divergence } from './divergence.js';

/**
 * Returns a distance of two rows, which start at `xOffset` and `yOffset`. Writes its derivative
 * with respect to x to `derivative`, if it is given.
 */
export type RowDistance = (
  x: FloatArray,
  xOffset: number,
  y: FloatArray,
  yOffset: number,
  columns: number,
  derivative?: Float64Array,
) => number;

/** mean (x − y)². */
export const meanSquared: RowDistance = (x, xOffset, y, yOffset, columns, derivative) => {
  let sum = 0;
  for (let j = 0; j < columns; j++) {
    const u = x[xOffset + j]! - y[yOffset + j]!;
    sum += u * u;
    if (derivative) derivative[j] = (2 * u) / columns;
  }
  return sum / columns;
};

/** ‖x − y‖; the derivative at x = y is 0. */
export const euclideanDistance: RowDistance = (x, xOffset, y, yOffset, columns, derivative) => {
  const u = derivative ?? new Float64Array(columns);
  for (let j = 0; j < columns; j++) u[j] = x[xOffset + j]! - y[yOffset + j]!;
  const length = norm(u, 0, columns);
  if (derivative && length > 0) {
    for (let j = 0; j < columns; j++) derivative[j]! /= length;
  }
  return length;
};

/** mean |x − y|; the derivative of an element with x = y is 0. */
export const meanAbsolute: RowDistance = (x, xOffset, y, yOffset, columns, derivative) => {
  let sum = 0;
  for (let j = 0; j < columns; j++) {
    const u = x[xOffset + j]! - y[yOffset + j]!;
    sum += Math.abs(u);
    if (derivative) derivative[j] = Math.sign(u) / columns;
  }
  return sum / columns;
};

/** Returns the derivative of Huber's loss at u. */
export function huberSlope(u: number, delta: number): number {
  return Math.max(-delta, Math.min(u, delta));
}

/** Returns Huber's loss, ½ u² for |u| ≤ δ and δ (|u| − ½ δ) otherwise, from its slope at u. */
export function huberValue(u: number, slope: number): number {
  return slope * (u - 0.5 * slope);
}

/** Mean of Huber's loss of x − y. */
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
 * factor · (1 − cos(x, y)) = factor · ½ |x/‖x‖ − y/‖y‖|². The right-hand form, which is computed,
 * is exactly 0 at x = y, with derivative 0. If a row is zero, the result is `degenerate`, with
 * derivative 0.
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

/** 1 − cos(x, y); 1, with derivative 0, if a row is zero. */
export const cosineDistance: RowDistance = chord(1, () => 1);

/** |x/‖x‖ − y/‖y‖|²; the direction of a zero row is 0, with derivative 0. */
export const squaredChord: RowDistance = chord(2, (xNorm, yNorm) => (xNorm === yNorm ? 0 : 1));

/**
 * Σ y log(y/x) − y + x of two rows of probabilities. It equals KL(y ‖ x), because both rows sum to
 * 1. The addends make the derivative 1 − y/x, which is 0 at x = y. The added constant has no effect
 * on the gradient of logits, because the adjoint of the softmax removes it.
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
 * Returns ‖x‖ of one row without intermediate overflow or underflow; NaN if the norm itself
 * overflows.
 */
export function norm(x: FloatArray, offset: number, columns: number): number {
  let largest = 0;
  for (let j = 0; j < columns; j++) {
    largest = Math.max(largest, Math.abs(x[offset + j]!)); // NaN for a NaN
  }
  if (largest === 0) return 0;
  let sum = 0;
  for (let j = 0; j < columns; j++) {
    const unit = x[offset + j]! / largest;
    sum += unit * unit;
  }
  const length = largest * Math.sqrt(sum);
  return length < Infinity ? length : Number.NaN; // x / Infinity would look like a zero row
}
