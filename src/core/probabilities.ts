import { refuse } from './errors.js';
import { SUM_TOLERANCE } from './labels.js';
import { checkMatrix, type Matrix } from './matrix.js';
import type { FloatArray } from './numeric.js';

/** Of two columns, too many rows of few digits are complements. */
const LEAST_COLUMNS = 3;

/**
 * Throws where all rows of a matrix of logits are distributions: whoever passes the result of a
 * softmax would train a student that is never sure. Logits end the search at their first element
 * below 0 or above 1, so that it costs nothing.
 */
export function refuseProbabilities(
  operation: string,
  argument: string,
  matrix: Matrix<FloatArray>,
  rows: readonly number[],
): void {
  if (matrix.columns < LEAST_COLUMNS) return;
  // One row may be in [0, 1] and sum to 1 by chance, and may stand more than once.
  let isVaried = false;
  for (const row of rows) {
    if (!isUnevenDistribution(matrix, row)) return;
    isVaried ||= !isSameRow(matrix, row, rows[0]!);
  }
  if (!isVaried) return;
  const hint = 'pass the values before the softmax, or Math.log of the probabilities';
  refuse('PROBABILITIES', operation, argument, 'hold logits', 'probabilities in every row', {
    hint,
  });
}

function isSameRow({ data, columns }: Matrix<FloatArray>, row: number, other: number): boolean {
  for (let j = 0; j < columns; j++) {
    if (data[row * columns + j] !== data[other * columns + j]) return false;
  }
  return true;
}

/** Throws unless a matrix holds logits: it is one, and not all of its rows are distributions. */
export function checkLogits(operation: string, logits: Matrix<FloatArray>): void {
  checkMatrix(operation, 'logits', logits);
  const rows = Array.from({ length: logits.rows }, (_, row) => row);
  refuseProbabilities(operation, 'logits', logits, rows);
}

/**
 * Whether a row is in [0, 1], sums to 1, and is not the same everywhere: a row of equal logits may
 * be anything.
 */
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
