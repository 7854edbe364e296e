// Checks that rows are distributions, with a kernel for long rows.

import { checkDistribution, SUM_TOLERANCE } from '../../core/labels.js';
import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import { runRows } from '../../engine/rows.js';
import { FEW_COLUMNS } from '../../engine/rowsCall.js';

/**
 * Throws unless each of the rows is a probability distribution: elements ≥ 0 with the sum 1.
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
  // For short rows, the check in JavaScript is faster than a copy.
  const isDone = columns > FEW_COLUMNS && runRows(call, sums);
  for (const row of rows) {
    // The sum of a kernel has rounding errors: it decides only if it is well within the tolerance.
    if (isDone && Math.abs(sums[row]! - 1) <= SUM_TOLERANCE / 2) continue;
    checkDistribution(operation, argument, matrix, row);
  }
}
