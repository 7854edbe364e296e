// Errors about a chunk, reworded so that they are about the batch.

import { DistillationError, reworded } from '../core/errors.js';
import type { FloatArray } from '../core/numeric.js';
import { type HeadCall, isHead } from './chunks.js';
import { explainHead } from './head.js';

/** Arguments of a strategy with one row for each row of the batch. */
const ROW_ARGUMENTS = [
  'student',
  'teacher',
  'labels',
  'gradient',
  "teacher's indices",
  "the student's tail",
  "the teacher's tail",
];

/**
 * Runs a computation on a chunk. An error names the row of the batch instead of the row of the
 * chunk, and the shape of the batch instead of the shape of the chunk.
 */
export function withBatchRows<T extends FloatArray, R>(
  { teacher, student }: HeadCall<T>,
  rows: readonly number[],
  compute: () => R,
): R {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof DistillationError) || !ROW_ARGUMENTS.includes(error.argument))
      throw error;
    const { code, argument, row, expected, received } = error;
    const isOfHead = argument === 'student' || (argument === 'teacher' && isHead(teacher));
    const own = { argument: isOfHead ? `${argument} logits` : argument };
    if (row !== undefined) throw reworded(error, { ...own, row: rows[row]! });
    if (code !== 'SHAPE_MISMATCH') throw reworded(error, own);
    const ofBatch = (shape: string) =>
      shape.replace(`[${rows.length}, `, `[${student.hidden.rows}, `);
    throw reworded(error, { ...own, expected: ofBatch(expected), received: ofBatch(received) });
  }
}

/**
 * As {@link withBatchRows}. If an element of the hidden states, the weight or the bias is not
 * finite, the error names this element instead of the logits.
 */
export function withHeadErrors<T extends FloatArray, R>(
  call: HeadCall<T>,
  rows: readonly number[],
  compute: () => R,
): R {
  const { operation, student, teacher } = call;
  return withBatchRows(call, rows, () => {
    try {
      return compute();
    } catch (error) {
      if (!(error instanceof DistillationError)) throw error;
      explainHead(operation, 'student', student, rows);
      if (isHead(teacher)) explainHead(operation, 'teacher', teacher, rows);
      throw error;
    }
  });
}
