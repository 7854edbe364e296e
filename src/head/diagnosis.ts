// Errors of a chunk, in the words of the batch.

import { DistillationError, moved } from '../core/errors.js';
import type { FloatArray } from '../core/numeric.js';
import { type HeadCall, isHead } from './chunks.js';
import { explainHead } from './head.js';

/** The arguments of a strategy that have a row for each row of the batch. */
const ROW_ARGUMENT =
  /^(student|teacher|labels|gradient|teacher's .*|the (student|teacher)'s tail)$/;

/** Has errors about rows of a chunk name the rows of the batch. */
export function ofRows<T extends FloatArray, R>(
  { teacher }: HeadCall<T>,
  rows: readonly number[],
  compute: () => R,
): R {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof DistillationError) || error.row === undefined) throw error;
    const { argument, row } = error;
    if (!ROW_ARGUMENT.test(argument)) throw error;
    const isOfHead = argument === 'student' || (argument === 'teacher' && isHead(teacher));
    throw moved(error, {
      argument: isOfHead ? `${argument} logits` : argument,
      row: rows[row]!,
    });
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
