// Losses of the pairs of columns that stand in an order on one side.

import type { RowDistance } from './distance.js';
import { sigmoid, softplus } from './softplus.js';

/** The loss of a pair by the lead of the column that is to be ahead. */
export interface LeadLoss {
  value(lead: number): number;
  slope(lead: number): number;
}

/** log(1 + e^−lead) */
export const logisticLead: LeadLoss = {
  value: (lead) => softplus(-lead),
  slope: (lead) => -sigmoid(-lead),
};

/** max(0, margin − lead); the derivative at the kink is 0 */
export function hingeLead(margin: number): LeadLoss {
  return {
    value: (lead) => Math.max(0, margin - lead),
    slope: (lead) => (margin > lead ? -1 : 0),
  };
}

/**
 * mean over pairs of columns with yₖ > yₗ of the loss of the lead xₖ − xₗ, 0 where there is no
 * pair; a column that is −Infinity on both sides is not there
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
      let ofColumn = 0 * s + 0 * t; // NaN where one is not finite
      for (let l = 0; l < columns; l++) {
        const below = y[yOffset + l]!;
        // Of the two orders of a pair this is one. An other side that is −Infinity alone has made
        // the sum NaN, or will.
        if (!(t > below) || below === -Infinity) continue;
        const lead = s - x[xOffset + l]!;
        ofColumn += value(lead);
        pairs++;
        if (!derivative) continue;
        const pull = slope(lead);
        derivative[k]! += pull;
        derivative[l]! -= pull;
      }
      sum += ofColumn;
    }
    const share = pairs === 0 ? 0 : 1 / pairs;
    if (derivative) for (let j = 0; j < columns; j++) derivative[j]! *= share;
    return sum * share;
  };
}
