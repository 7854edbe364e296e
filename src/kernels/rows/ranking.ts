// Ranking losses of pairs of columns that the teacher orders.

import type { RowDistance } from './distance.js';
import { sigmoid, softplus } from './softplus.js';

/** Loss of a pair as a function of the lead of the column that the teacher ranks higher. */
export interface LeadLoss {
  value(lead: number): number;
  slope(lead: number): number;
}

/** log(1 + e^−lead). */
export const logisticLead: LeadLoss = {
  value: (lead) => softplus(-lead),
  slope: (lead) => -sigmoid(-lead),
};

/** max(0, margin − lead); the derivative at the kink is 0. */
export function hingeLead(margin: number): LeadLoss {
  return {
    value: (lead) => Math.max(0, margin - lead),
    slope: (lead) => (margin > lead ? -1 : 0),
  };
}

/**
 * Mean over pairs of columns with yₖ > yₗ of the loss of the lead xₖ − xₗ; 0 without pairs. A
 * column that is −Infinity on both sides is left out.
 */
export function pairwise({ value, slope }: LeadLoss): RowDistance {
  return (x, xOffset, y, yOffset, columns, derivative) => {
    derivative?.fill(0);
    let sum = 0;
    let pairs = 0;
    for (let k = 0; k < columns; k++) {
      const s = x[xOffset + k]!;
      const t = y[yOffset + k]!;
      if (s === -Infinity && t === -Infinity) continue;
      let columnSum = 0 * s + 0 * t; // NaN if s or t is not finite
      for (let l = 0; l < columns; l++) {
        const below = y[yOffset + l]!;
        // Each pair is visited once, from its higher column. If `below` alone is −Infinity, column
        // l itself makes the sum NaN.
        if (!(t > below) || below === -Infinity) continue;
        const lead = s - x[xOffset + l]!;
        columnSum += value(lead);
        pairs++;
        if (!derivative) continue;
        const pull = slope(lead);
        derivative[k]! += pull;
        derivative[l]! -= pull;
      }
      sum += columnSum;
    }
    const share = pairs === 0 ? 0 : 1 / pairs;
    if (derivative) for (let j = 0; j < columns; j++) derivative[j]! *= share;
    return sum * share;
  };
}
