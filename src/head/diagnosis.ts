// Errors of a chunk, in the words of the batch.

import { DistillationError, reworded } from '../core/errors.js';
import type { FloatArray } from '../core/numeric.js';
import { type HeadCall, isHead } from './chunks.js';
import { explainHead } from './head.js';

/** The arguments of a strategy that have a row for each row of the batch. */
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
 * Has errors about rows of a chunk name the rows of the batch, and errors about its shape the shape
 * of the batch.
 */
export function ofRows<T extends FloatArray, R>(
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

/** {@link ofRows}, and looks for numbers that are not finite in what the logits are made of. */
export function ofRowsAndHead<T extends FloatArray, R>(
  call: HeadCall<T>,
  rows: readonly number[],
  compute: () => R,
): R {
  const { operation, student, teacher } = call;
  return ofRows(call, rows, () => {
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
