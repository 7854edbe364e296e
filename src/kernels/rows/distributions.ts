// Whether rows are distributions, by the engine where it computes.

import { checkDistribution, SUM_TOLERANCE } from '../../core/labels.js';
import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import { runRows } from '../../engine/rows.js';
import { FEW_COLUMNS } from '../../engine/rowsCall.js';

/**
 * Throws unless each of these rows is a probability distribution: every element ≥ 0, with the sum
 * 1.
 */
export function checkDistributions<T extends FloatArray>(
  operation: string,
  argument: string,
  matrix: Matrix<T>,
  rows: readonly number[],
): void {
  const { data, columns } = matrix;
  const sums = new Float64Array(matrix.rows);
  const kernel = { binary: RESPONSE, name: 'sum' };
  const call = { kernel, student: data, rows: matrix.rows, columns, temperature: 1 };
  // Short rows are looked at sooner than copied.
  const isDone = columns > FEW_COLUMNS && runRows(call, sums);
  for (const row of rows) {
    // The kernel rounds: it decides where the sum is well within the bound.
    if (isDone && Math.abs(sums[row]! - 1) <= SUM_TOLERANCE / 2) continue;
    checkDistribution(operation, argument, matrix, row);
  }
}
