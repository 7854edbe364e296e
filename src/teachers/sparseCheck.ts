import { refuse } from '../core/errors.js';
import { SUM_TOLERANCE } from '../core/labels.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import { NO_CLASS } from './raggedRows.js';
import type { SparseTargets } from './sparse.js';

/**
 * Whether a teacher is sparse. The test looks for a method instead of the class, so that targets of
 * another copy of the library pass, and `SparseTargetsOptions` do not.
 */
export function isSparse<T extends FloatArray>(
  teacher: Matrix<T> | SparseTargets<T>,
): teacher is SparseTargets<T> {
  return typeof teacher === 'object' && teacher !== null && 'tailOf' in teacher;
}

/**
 * Throws for a row that keeps no class, holds a class twice or out of range, or whose probabilities
 * and tail do not sum to 1.
 */
export function checkSparseRows(
  operation: string,
  teacher: SparseTargets<FloatArray>,
  rows: readonly number[],
  argument = 'teacher',
): void {
  const { indices, values, columns, kind, logTail } = teacher;
  const k = values.columns;
  const indicesName = `${argument}${argument.endsWith('s') ? "'" : "'s"} indices`;
  const seenIn = new Int32Array(columns).fill(-1);
  for (const row of rows) {
    let sum = 0;
    let count = 0;
    for (let i = 0; i < k; i++) {
      const index = indices[row * k + i]!;
      if (index === NO_CLASS) continue;
      count++;
      if (!(index >= 0 && index < columns)) {
        const expected = `hold classes in [0, ${columns}), or −1 for none`;
        const received = String(index);
        refuse('OUT_OF_RANGE', operation, indicesName, expected, received, {
          row,
          column: i,
        });
      }
      if (seenIn[index] === row) {
        const expected = 'hold each class once';
        const received = `${index} again`;
        refuse('OUT_OF_RANGE', operation, indicesName, expected, received, {
          row,
          column: i,
        });
      }
      seenIn[index] = row;
      const value = values.data[row * k + i]!;
      if (!(value < Infinity)) {
        refuse('NOT_FINITE', operation, argument, 'be finite', String(value), {
          row,
          column: i,
        });
      }
      sum += Math.exp(value);
    }
    if (count === 0) {
      const hint = 'exclude the row by IGNORE_INDEX or a mask';
      refuse('EMPTY', operation, argument, 'keep at least one class', 'none', { row, hint });
    }
    if (kind === 'logits') continue;
    const isWhole = count === columns;
    if (!isWhole && logTail) sum += Math.exp(logTail[row]!);
    const mayBeLess = !isWhole && !logTail; // the tail is then 1 − sum
    if (Math.abs(sum - 1) <= SUM_TOLERANCE || (mayBeLess && sum < 1)) continue;
    const expected = `hold log-probabilities that sum to 1 (±${SUM_TOLERANCE}) with the tail`;
    refuse('NOT_A_DISTRIBUTION', operation, argument, expected, String(sum), { row });
  }
}
