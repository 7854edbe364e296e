import { RESPONSE } from '../../engine/binaries/response.js';
import { runRows } from '../../engine/rows.js';
import { scoreDivergence } from './scores.js';

/**
 * Returns Σ over rows of KL(softmax(y) ‖ softmax(x)) for two matrices of scores in doubles, with a
 * kernel if one computes. Writes the derivative with respect to x to `slopes`, if it is given.
 * Scores that are −Infinity on both sides add 0.
 */
export function scoreDivergences(
  x: Float64Array,
  y: Float64Array,
  columns: number,
  slopes: Float64Array | undefined,
): number {
  const rows = x.length / columns;
  const losses = new Float64Array(rows).fill(Number.NaN);
  const kernel = { binary: RESPONSE, name: 'forward' };
  const call = { kernel, student: x, teacher: y, rows, columns, temperature: 1 };
  runRows(call, losses, slopes && (() => ({ data: slopes, scale: 1, adds: false })));
  const divergence = scoreDivergence(columns);
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    const start = i * columns;
    // JavaScript computes the rows that the kernel cannot.
    sum += Number.isFinite(losses[i])
      ? losses[i]!
      : divergence(x, start, y, start, columns, slopes?.subarray(start, start + columns));
  }
  return sum;
}
