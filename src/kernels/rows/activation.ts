// Distances of pre-activations, the values before a ReLU.

import type { RowDistance } from './distance.js';

/** Σ max(0, margin − σ x)², where σ is 1 for y > 0 and −1 for y ≤ 0. */
export function activationBoundary(margin: number): RowDistance {
  return (x, xOffset, y, yOffset, columns, derivative) => {
    let sum = 0;
    for (let j = 0; j < columns; j++) {
      const s = x[xOffset + j]!;
      const t = y[yOffset + j]!;
      const side = t > 0 ? 1 : -1;
      const short = Math.max(0, margin - side * s + 0 * s + 0 * t); // NaN if s or t is not finite
      sum += short * short;
      if (derivative) derivative[j] = -2 * side * short;
    }
    return sum;
  };
}

/**
 * Σ (x − z)² with z = max(y, margin of the channel), without the terms with x ≤ z ≤ 0. Margins are
 * ≤ 0.
 */
export function marginReLU(margins: Float64Array): RowDistance {
  return (x, xOffset, y, yOffset, columns, derivative) => {
    const positions = columns / margins.length;
    let sum = 0;
    for (let j = 0; j < columns; j++) {
      const s = x[xOffset + j]!;
      const t = y[yOffset + j]!;
      const target = Math.max(t, margins[Math.floor(j / positions)]!);
      const u = s - target + 0 * s + 0 * t; // NaN if s or t is not finite
      const over = target > 0 ? u : Math.max(0, u);
      sum += over * over;
      if (derivative) derivative[j] = 2 * over;
    }
    return sum;
  };
}
