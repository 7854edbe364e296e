import type { RowDistance } from './distance.js';
import { kullbackLeibler, softmax } from './softmax.js';

/** KL(softmax(y) ‖ softmax(x)) of two rows of scores. */
export function scoreDivergence(columns: number): RowDistance {
  const scratch = (): Float64Array => new Float64Array(columns);
  const [logP, p, logQ, q] = [scratch(), scratch(), scratch(), scratch()];
  return (x, xOffset, y, yOffset, _columns, derivative) => {
    softmax(y, yOffset, columns, logP, p);
    softmax(x, xOffset, columns, logQ, q);
    if (derivative) {
      for (let j = 0; j < columns; j++) derivative[j] = q[j]! - p[j]!;
    }
    return kullbackLeibler(logP, p, logQ, q);
  };
}

/** A distance of scores in which a key that is −Infinity on both sides adds 0. */
export function scoreDistance(distance: RowDistance, columns: number): RowDistance {
  const xFinite = new Float64Array(columns);
  const yFinite = new Float64Array(columns);
  return (x, xOffset, y, yOffset, _columns, derivative) => {
    for (let j = 0; j < columns; j++) {
      const ruledOut = x[xOffset + j] === -Infinity && y[yOffset + j] === -Infinity;
      xFinite[j] = ruledOut ? 0 : x[xOffset + j]!;
      yFinite[j] = ruledOut ? 0 : y[yOffset + j]!;
    }
    return distance(xFinite, 0, yFinite, 0, columns, derivative);
  };
}
