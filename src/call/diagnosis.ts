// Which input made a loss infinite or NaN. Nobody looks before: a NaN reaches the sum by itself, so
// that good input never pays for the search.

import { checkRow } from '../core/checks.js';
import type { MatrixContent } from '../core/content.js';
import { type Circumstances, refuse } from '../core/errors.js';
import { hasClass, type Labels } from '../core/labels.js';
import type { FloatArray } from '../core/numeric.js';
import type { SparseTargets } from '../teachers/sparse.js';
import { isSparse } from '../teachers/sparseCheck.js';
import type { DistillationBatch } from './batch.js';

/** Throws at the first entry of a matrix that is not finite. */
export function checkMatrixFinite(
  operation: string,
  argument: string,
  matrix: MatrixContent,
): void {
  for (let row = 0; row < matrix.rows; row++) checkRow(operation, argument, matrix, row);
}

/** The rows of both sides. */
type BatchSides<T extends FloatArray, Sparse extends SparseTargets<T> = never> = Pick<
  DistillationBatch<T, Sparse>,
  'operation' | 'student' | 'teacher' | 'rows'
>;

/**
 * Throws at the first entry that is neither finite nor `ruledOut`, on either side. A sparse teacher
 * checks itself.
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

/** Whose −Infinity makes a loss infinite where the other side allows the class. */
export type RuledOutBy = 'student' | 'teacher' | 'either' | 'neither';

/**
 * {@link checkFinite} where entries may be ruled out (−Infinity for a logit, 0 for a probability):
 * throws also where a row leaves nothing possible, where the student rules out what the label
 * allows, and where one side rules out what the other allows and it is that side of which the loss
 * cannot bear it.
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
  // Last, since not every loss minds.
  for (const row of rows) {
    const sides = { row, student: student.row(row), teacher: teacher.row(row), ruledOut };
    checkSomeAllowed(operation, sides, 'in some column');
  }
}

/** One row on both sides, and the value by which it rules a class out. */
interface Sides {
  readonly row: number;
  readonly student: FloatArray;
  readonly teacher: FloatArray;
  readonly ruledOut: number;
}

/** Throws where a side of a row leaves nothing possible; `where` says of what. */
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

/** Throws where the student rules out what the label of its row allows. */
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
 * Throws where one side of a row rules out what the other allows, and it is `by` that side that the
 * loss is infinite. What has no column is the classes of the tail together.
 *
 * @param hint - for an entry that has a column
 */
export function checkSides(
  operation: string,
  { row, student, teacher, ruledOut }: Sides,
  by: RuledOutBy,
  columnOf: (index: number) => number | undefined,
  hint?: string,
): void {
  for (let i = 0; i < student.length; i++) {
    const studentRules = student[i] === ruledOut;
    const teacherRules = teacher[i] === ruledOut;
    if (studentRules === teacherRules) continue;
    const side = studentRules ? 'student' : 'teacher';
    if (by !== side && by !== 'either') continue;
    const where = `where the ${studentRules ? 'teacher' : 'student'} is`;
    const column = columnOf(i);
    if (column !== undefined) {
      throwRuledOut(operation, side, ruledOut, where, { row, column, hint });
    }
    const ofTail = { row, hint: "or choose tail: 'renormalize'" };
    throwRuledOut(operation, `the ${side}'s tail`, ruledOut, where, ofTail);
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
