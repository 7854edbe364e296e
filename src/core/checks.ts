// Checks of the shape, number format and rows of a matrix argument.

import type { MatrixContent } from './content.js';
import { checkNumber, refuse, throwShape } from './errors.js';
import { checkMatrix, type Matrix } from './matrix.js';
import type { FloatArray, NumericTrait } from './numeric.js';

/** Anything with a shape: a matrix, or a sparse teacher. */
interface Shaped {
  readonly rows: number;
  readonly columns: number;
}

/** Throws unless `matrix` is an output buffer in the student's shape and number format. */
export function checkBuffer<T extends FloatArray>(
  operation: string,
  argument: string,
  matrix: Matrix<T>,
  student: Matrix<T>,
): void {
  // A converted copy would be written, and the caller's matrix would not.
  const hint = `pass a ${student.numeric.dtype} matrix`;
  checkSameShape(operation, argument, matrix, student, hint);
}

/** Throws unless `matrix` is a matrix in the student's shape and number format. */
export function checkSameShape<T extends FloatArray>(
  operation: string,
  argument: string,
  matrix: Matrix<T>,
  student: Matrix<T>,
  hint?: string,
): void {
  checkMatrix(operation, argument, matrix);
  checkDtype(operation, argument, matrix, student, hint);
  checkShape(operation, argument, matrix, [student.rows, student.columns]);
}

/** Throws unless `matrix` has the student's number format. */
export function checkDtype(
  operation: string,
  argument: string,
  matrix: { readonly numeric: NumericTrait<FloatArray> },
  student: { readonly numeric: NumericTrait<FloatArray> },
  hint = `use ${argument}.as(${student.numeric.dtype})`,
): void {
  const { dtype } = student.numeric;
  if (matrix.numeric.dtype === dtype) return;
  const expected = `be ${dtype}`;
  refuse('DTYPE_MISMATCH', operation, argument, expected, matrix.numeric.dtype, { hint });
}

/**
 * Throws unless `matrix` has the expected shape.
 *
 * @param why - where the expected shape comes from, as the message says
 */
export function checkShape(
  operation: string,
  argument: string,
  matrix: Shaped,
  expected: readonly [rows: number, columns: number],
  why = "the student's shape",
  hint?: string,
): void {
  const { rows, columns } = matrix;
  if (rows === expected[0] && columns === expected[1]) return;
  const isTransposed = rows === expected[1] && columns === expected[0];
  const question = isTransposed ? 'is it transposed?' : undefined;
  throwShape(operation, argument, [rows, columns], expected, why, hint ?? question);
}

/** Throws unless the teacher has a row for each of the student's. */
export function checkTeacherRows(
  operation: string,
  { rows }: { readonly rows: number },
  teacher: Shaped,
): void {
  checkShape(operation, 'teacher', teacher, [rows, teacher.columns], "the student's rows");
}

/** Throws at the first element of a row that is neither finite nor `ruledOut`. */
export function checkRow(
  operation: string,
  argument: string,
  { data, columns }: MatrixContent,
  row: number,
  ruledOut?: number,
): void {
  for (let column = 0; column < columns; column++) {
    const value = data[row * columns + column]!;
    if (Number.isFinite(value) || value === ruledOut) continue;
    refuse('NOT_FINITE', operation, argument, 'be finite', String(value), { row, column });
  }
}

/** Throws unless a number of classes is in [1, columns]. */
export function checkClassCount(
  operation: string,
  argument: string,
  count: unknown,
  columns: number,
): void {
  const inRange = (value: number) => Number.isInteger(value) && value >= 1 && value <= columns;
  checkNumber(operation, argument, count, `be an integer in [1, ${columns}], the classes`, inRange);
}

/**
 * Throws unless the columns of a matrix divide into parts of equal size; returns the number of
 * parts.
 *
 * @param size - number of columns of one part
 * @param part - name of the parts in the message, such as `'channels'`
 */
export function checkParts(
  operation: string,
  argument: string,
  matrix: Matrix<FloatArray>,
  size: number,
  part: string,
): number {
  checkMatrix(operation, argument, matrix);
  const { rows, columns } = matrix;
  const count = columns / size;
  if (Number.isInteger(count)) return count;
  const expected = `[${rows}, ${part} × ${size}]`;
  refuse('SHAPE_MISMATCH', operation, argument, expected, `[${rows}, ${columns}]`);
}

/**
 * Adds `values` to `sums`; returns whether every sum is finite. The check adds up 0 × sum, which is
 * NaN for a sum that is not finite and 0 otherwise. Four totals are faster than one, because an
 * addition to a total has to wait for the previous addition to the same total.
 */
export function addTo(sums: FloatArray, values: FloatArray): boolean {
  const { length } = sums;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 3 < length; i += 4) {
    sums[i]! += values[i]!;
    sums[i + 1]! += values[i + 1]!;
    sums[i + 2]! += values[i + 2]!;
    sums[i + 3]! += values[i + 3]!;
    a += 0 * sums[i]!;
    b += 0 * sums[i + 1]!;
    c += 0 * sums[i + 2]!;
    d += 0 * sums[i + 3]!;
  }
  for (; i < length; i++) {
    sums[i]! += values[i]!;
    a += 0 * sums[i]!;
  }
  return a + b + c + d === 0;
}
