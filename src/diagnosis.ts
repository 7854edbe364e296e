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
 * {@link checkFinite} where entries may be ruled out (−Infinity for a logit, 0 for a probability): throws also where a
 * row leaves nothing possible, where the student rules out what the label allows, and where one side rules out
 * what the other allows and it is that side of which the loss cannot bear it.
 */
export function checkRuledOut<T extends FloatArray>(
  batch: DistillationBatch<T>,
  ruledOut: number,
  by: 'student' | 'teacher' | 'either' | 'neither',
  labels?: Labels<T>,
): void {
  checkFinite(batch, ruledOut);
  const { operation, student, teacher, rows } = batch;
  const throwAt = (argument: string, where: string, row: number, column?: number): void => {
    const place = column === undefined ? { row } : { row, column };
    const expected = `be above ${ruledOut} ${where}`;
    refuse('RULED_OUT', operation, argument, expected, String(ruledOut), place);
  };
  for (const row of rows) {
    let [studentAllows, teacherAllows] = [false, false];
    for (let column = 0; column < student.columns; column++) {
      const index = row * student.columns + column;
      const studentRules = student.data[index] === ruledOut;
      const teacherRules = teacher.data[index] === ruledOut;
      studentAllows ||= !studentRules;
      teacherAllows ||= !teacherRules;
      if (studentRules && labels && hasClass(labels, row, column, index)) {
        throwAt('student', 'where the label is', row, column);
      }
      if (by !== 'teacher' && by !== 'neither' && studentRules && !teacherRules) {
        throwAt('student', 'where the teacher is', row, column);
      }
      if (by !== 'student' && by !== 'neither' && teacherRules && !studentRules) {
        throwAt('teacher', 'where the student is', row, column);
      }
    }
    if (!studentAllows) throwAt('student', 'in some column', row);
    if (!teacherAllows) throwAt('teacher', 'in some column', row);
  }
}
