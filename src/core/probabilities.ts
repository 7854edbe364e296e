import { refuse } from './errors.js';
import { SUM_TOLERANCE } from './labels.js';
import { checkMatrix, type Matrix } from './matrix.js';
import type { FloatArray } from './numeric.js';

/** One row may be in [0, 1] and sum to 1 by chance. */
const LEAST_ROWS = 2;

/** Of two columns, too many rows of few digits are complements. */
const LEAST_COLUMNS = 3;

/**
 * Throws where all rows of a matrix of logits are distributions: whoever passes the result of a softmax would train a student that is
 * never sure. Logits end the search at their first element below 0 or above 1, so that it costs nothing.
 */
export function refuseProbabilities(
  operation: string,
  argument: string,
  matrix: Matrix<FloatArray>,
  rows: readonly number[],
): void {
  if (rows.length < LEAST_ROWS || matrix.columns < LEAST_COLUMNS) return;
  for (const row of rows) if (!isUnevenDistribution(matrix, row)) return;
  const hint = 'pass the values before the softmax, or Math.log of the probabilities';
  refuse('PROBABILITIES', operation, argument, 'hold logits', 'probabilities in every row', {
    hint,
  });
}

/** Throws unless a matrix holds logits: it is one, and not all of its rows are distributions. */
export function checkLogits(operation: string, logits: Matrix<FloatArray>): void {
  checkMatrix(operation, 'logits', logits);
  const rows = Array.from({ length: logits.rows }, (_, row) => row);
  refuseProbabilities(operation, 'logits', logits, rows);
}

/** Whether a row is in [0, 1], sums to 1, and is not the same everywhere: a row of equal logits may be anything. */
function isUnevenDistribution({ data, columns }: Matrix<FloatArray>, row: number): boolean {
  const start = row * columns;
  const first = data[start]!;
  let sum = 0;
  let isEven = true;
  for (let i = start; i < start + columns; i++) {
    const value = data[i]!;
    if (!(value >= 0 && value <= 1)) return false;
    sum += value;
    isEven &&= value === first;
  }
  return !isEven && Math.abs(sum - 1) <= SUM_TOLERANCE;
}
