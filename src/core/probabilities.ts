import { refuse } from './errors.js';
import { SUM_TOLERANCE } from './labels.js';
import { checkMatrix, type Matrix } from './matrix.js';
import type { FloatArray } from './numeric.js';

/**
 * Least number of columns of a matrix that is searched. In a row of two logits with few digits,
 * such as 0.3 and 0.7, a sum of 1 is common by chance.
 */
const MIN_COLUMNS = 3;

/**
 * Throws if every row of a matrix of logits is a probability distribution. A second softmax over
 * probabilities would train a student that is never sure. For logits the check costs almost
 * nothing: it ends at the first element below 0 or above 1.
 */
export function refuseProbabilities(
  operation: string,
  argument: string,
  matrix: Matrix<FloatArray>,
  rows: readonly number[],
): void {
  if (matrix.columns < MIN_COLUMNS) return;
  // One row of logits can be a distribution by chance, and a batch can repeat that row: at least
  // two different rows are needed.
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

/** Throws unless `logits` is a matrix in which at least one row is no probability distribution. */
export function checkLogits(operation: string, logits: Matrix<FloatArray>): void {
  checkMatrix(operation, 'logits', logits);
  const rows = Array.from({ length: logits.rows }, (_, row) => row);
  refuseProbabilities(operation, 'logits', logits, rows);
}

/**
 * Whether a row is a probability distribution with unequal elements. A row of equal elements, such
 * as four logits of 0.25, does not tell.
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
