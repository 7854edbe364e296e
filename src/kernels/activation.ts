// Distances of values before a ReLU.

import type { RowDistance } from './distance.js';

/** Σ max(0, margin − σ x)², where σ is 1 for y > 0 and −1 for y ≤ 0 */
export function activationBoundary(margin: number): RowDistance {
  return (x, xOffset, y, yOffset, columns, derivative) => {
    let sum = 0;
    for (let j = 0; j < columns; j++) {
      const s = x[xOffset + j]!;
      const t = y[yOffset + j]!;
      const side = t > 0 ? 1 : -1;
      const short = Math.max(0, margin - side * s + 0 * s + 0 * t); // NaN where one is not finite
      sum += short * short;
      if (derivative) derivative[j] = -2 * side * short;
    }
    return sum;
  };
}
