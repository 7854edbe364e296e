// Compares the margins by which the first column is ahead of the others.

import type { RowDistance } from './distance.js';

/**
 * Mean over columns j ≥ 1 of ((x₀ − xⱼ) − (y₀ − yⱼ))²; 0 without such a column. A column that is
 * −Infinity on both sides is left out.
 */
export const squaredMargins: RowDistance = (x, xOffset, y, yOffset, columns, derivative) => {
  const lead = x[xOffset]! - y[yOffset]!;
  let squares = 0 * lead; // NaN if the first column is not finite, also without other columns
  let gaps = 0;
  let candidates = 0;
  for (let j = 1; j < columns; j++) {
    const s = x[xOffset + j]!;
    const t = y[yOffset + j]!;
    const isThere = s !== -Infinity || t !== -Infinity;
    const gap = isThere ? s - t - lead : 0;
    squares += gap * gap;
    gaps += gap;
    if (isThere) candidates++;
    if (derivative) derivative[j] = gap;
  }
  const share = 1 / Math.max(candidates, 1);
  if (derivative) {
    derivative[0] = -gaps;
    for (let j = 0; j < columns; j++) derivative[j]! *= 2 * share;
  }
  return squares * share;
};
