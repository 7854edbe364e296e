// Finds the input that made a loss infinite or NaN. The search runs only after a loss turned out
// not to be finite, so that good input costs nothing: a NaN in an input reaches the loss by itself.

import { checkRow } from '../core/checks.js';
import type { MatrixContent } from '../core/content.js';
import { type Circumstances, refuse } from '../core/errors.js';
import { hasClass, type Labels } from '../core/labels.js';
import type { FloatArray } from '../core/numeric.js';
import type { SparseTargets } from '../teachers/sparse.js';
import { isSparse } from '../teachers/sparseCheck.js';
import type { DistillationBatch } from './batch.js';

/** Throws at the first element of a matrix that is not finite. */
export function checkMatrixFinite(
  operation: string,
  argument: string,
  matrix: MatrixContent,
): void {
  for (let row = 0; row < matrix.rows; row++) checkRow(operation, argument, matrix, row);
}

/** Properties of a batch that the search reads. */
type BatchSides<T extends FloatArray, Sparse extends SparseTargets<T> = never> = Pick<
  DistillationBatch<T, Sparse>,
  'operation' | 'student' | 'teacher' | 'rows'
>;

/**
 * Throws at the first element of student or teacher that is neither finite nor `ruledOut`. A sparse
 * teacher is skipped: `SparseTargets` checks its values itself.
 */
export function checkFinite<T extends FloatArray>(
  { operation, student, teacher, rows }: BatchSides<T, SparseTargets<T>>,
  ruledOut?: number,
): void {
  for (const row of rows) {
    checkRow(operation, 'student', student, row, ruledOut);
    if (!isSparse(teacher)) checkRow(operation, 'teacher', teacher, row, ruledOut);
  }
}

/**
 * Side whose −Infinity makes a loss infinite, if the other side gives the class a probability above
 * 0. KL(teacher ‖ student) is infinite if the student alone rules a class out: `'student'`.
 */
export type RuledOutBy = 'student' | 'teacher' | 'either' | 'neither';

/**
 * Throws as {@link checkFinite} does, for a loss whose elements may be ruled out (−Infinity for a
 * logit, 0 for a probability). It also throws if
 *
 * - the student rules out a class that the label of its row allows,
 * - the side `by` rules out a class that the other side allows,
 * - a row rules out every class.
 *
 * @param ruledOut - value of a ruled-out element: −Infinity or 0
 */
export function checkRuledOut<T extends FloatArray>(
  batch: BatchSides<T>,
  ruledOut: number,
  by: RuledOutBy,
  labels?: Labels<T>,
): void {
  checkFinite(batch, ruledOut);
  const { operation, student, teacher, rows } = batch;
  if (labels) checkLabelAllowed(batch, labels, ruledOut);
  for (const row of rows) {
    const sides = { row, student: student.row(row), teacher: teacher.row(row), ruledOut };
    checkSides(operation, sides, by, (column) => column);
  }
  // This check comes last: a row without any possible class keeps some losses finite.
  for (const row of rows) {
    const sides = { row, student: student.row(row), teacher: teacher.row(row), ruledOut };
    checkSomeAllowed(operation, sides, 'in some column');
  }
}

/** One row of both sides, and the value of a ruled-out element. */
interface Sides {
  readonly row: number;
  readonly student: FloatArray;
  readonly teacher: FloatArray;
  readonly ruledOut: number;
}

/**
 * Throws if a side of a row rules out every class.
 *
 * @param where - the place of the missing element in the message, such as `'in some column'`
 */
export function checkSomeAllowed(
  operation: string,
  { row, student, teacher, ruledOut }: Sides,
  where: string,
): void {
  for (const [argument, values] of Object.entries({ student, teacher })) {
    if (values.some((value) => value !== ruledOut)) continue;
    throwRuledOut(operation, argument, ruledOut, where, { row });
  }
}

/** Throws if the student rules out a class to which the label of its row gives a probability. */
export function checkLabelAllowed<T extends FloatArray>(
  { operation, student, rows }: BatchSides<T, SparseTargets<T>>,
  labels: Labels<T>,
  ruledOut: number,
): void {
  const { data, columns } = student;
  for (const row of rows) {
    for (let column = 0; column < columns; column++) {
      const index = row * columns + column;
      if (data[index] !== ruledOut || !hasClass(labels, row, column, index)) continue;
      throwRuledOut(operation, 'student', ruledOut, 'where the label is', { row, column });
    }
  }
}

/**
 * Throws if the side `by` of a row rules out a class that the other side allows.
 *
 * @param columnOf - column of an element; undefined for the element that holds the tail of a sparse
 * teacher
 * @param hint - hint of the error for an element that has a column
 */
export function checkSides(
  operation: string,
  { row, student, teacher, ruledOut }: Sides,
  by: RuledOutBy,
  columnOf: (index: number) => number | undefined,
  hint?: string,
): void {
  for (let i = 0; i < student.length; i++) {
    const isStudentOut = student[i] === ruledOut;
    const isTeacherOut = teacher[i] === ruledOut;
    if (isStudentOut === isTeacherOut) continue;
    const side = isStudentOut ? 'student' : 'teacher';
    if (by !== side && by !== 'either') continue;
    const where = `where the ${isStudentOut ? 'teacher' : 'student'} is`;
    const column = columnOf(i);
    if (column !== undefined) {
      throwRuledOut(operation, side, ruledOut, where, { row, column, hint });
    }
    const tailHint = "take tail: 'renormalize'";
    throwRuledOut(operation, `the ${side}'s tail`, ruledOut, where, { row, hint: tailHint });
  }
}

function throwRuledOut(
  operation: string,
  argument: string,
  ruledOut: number,
  where: string,
  circumstances: Circumstances,
): never {
  const expected = `be above ${ruledOut} ${where}`;
  refuse('RULED_OUT', operation, argument, expected, String(ruledOut), circumstances);
}
