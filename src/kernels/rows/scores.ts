import type { RowDistance } from './distance.js';
import { forwardDivergence } from './divergences.js';
import { addSoftmaxAdjoint, softmax } from './softmax.js';

/** KL(softmax(y) ‖ softmax(x)) of two rows of scores. */
export function scoreDivergence(columns: number): RowDistance {
  const scratch = (): Float64Array => new Float64Array(columns);
  const row = { logP: scratch(), p: scratch(), logQ: scratch(), q: scratch(), slope: scratch() };
  return (x, xOffset, y, yOffset, _columns, derivative) => {
    softmax(y, yOffset, columns, row.logP, row.p);
    softmax(x, xOffset, columns, row.logQ, row.q);
    const loss = forwardDivergence(row);
    if (derivative) {
      derivative.fill(0);
      addSoftmaxAdjoint(row.q, row.slope, 1, derivative);
    }
    return loss;
  };
}

/** Returns a distance of scores to which a key that is −Infinity on both sides adds 0. */
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
