// How far a column is ahead of each other column.

import type { RowDistance } from './distance.js';

/**
 * mean over columns j ≥ 1 of ((x₀ − xⱼ) − (y₀ − yⱼ))², 0 where there is none; a column that is
 * −Infinity on both sides is not there
 */
export const squaredMargins: RowDistance = (x, xOffset, y, yOffset, columns, derivative) => {
  const lead = x[xOffset]! - y[yOffset]!;
  let squares = 0 * lead; // NaN where the first column cannot be used, and there is no other to show it
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
