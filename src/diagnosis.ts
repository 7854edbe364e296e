// Which input made a loss infinite or NaN. Nobody looks before: a NaN reaches the sum by itself, so that good input
// never pays for the search.

import type { DistillationBatch } from './batch.js';
import { refuse } from './errors.js';
import { hasClass, type Labels } from './labels.js';
import type { Matrix } from './matrix.js';
import type { FloatArray } from './numeric.js';

/** Throws at the first entry of a row that is neither finite nor `ruledOut`. */
export function checkRow(
  operation: string,
  argument: string,
  { data, columns }: Matrix<FloatArray>,
  row: number,
  ruledOut?: number,
): void {
  for (let column = 0; column < columns; column++) {
    const value = data[row * columns + column]!;
    if (Number.isFinite(value) || value === ruledOut) continue;
    refuse('NOT_FINITE', operation, argument, 'be finite', String(value), { row, column });
  }
}

/** Throws at the first entry that is neither finite nor `ruledOut`, on either side. */
export function checkFinite<T extends FloatArray>(
  { operation, student, teacher, rows }: DistillationBatch<T>,
  ruledOut?: number,
): void {
  for (const row of rows) {
    checkRow(operation, 'student', student, row, ruledOut);
    checkRow(operation, 'teacher', teacher, row, ruledOut);
  }
}

/**
 * {@link checkFinite} where entries may be ruled out (−Infinity for a logit, 0 for a probability): throws also where
 * one side rules out what the other side, or the label, allows, and where a row allows nothing.
 */
export function checkRuledOut<T extends FloatArray>(
  batch: DistillationBatch<T>,
  ruledOut: number,
  labels?: Labels<T>,
): void {
  checkFinite(batch, ruledOut);
  const { operation, student, teacher, rows } = batch;
  const { columns } = student;
  const sides = [
    ['student', student.data, 'teacher', teacher.data],
    ['teacher', teacher.data, 'student', student.data],
  ] as const;
  for (const [argument, values, otherArgument, other] of sides) {
    for (const row of rows) {
      let allowed = columns;
      for (let column = 0; column < columns; column++) {
        const index = row * columns + column;
        if (values[index] !== ruledOut) continue;
        allowed--;
        const isLabel = argument === 'student' && labels && hasClass(labels, row, column, index);
        if (!isLabel && allowed > 0 && other[index] === ruledOut) continue;
        const reason = isLabel ? 'label' : allowed > 0 ? otherArgument : 'row';
        const expected = `be above ${ruledOut} where the ${reason} is`;
        refuse('RULED_OUT', operation, argument, expected, String(ruledOut), { row, column });
      }
    }
  }
}
