import { checkPositive, refuse, throwShape, throwType } from './errors.js';
import { hasClass, isClassIndices, keptRows, type Labels, labelRows } from './labels.js';
import type { Matrix } from './matrix.js';
import type { FloatArray } from './numeric.js';

/** One entry of a hybrid, as it contributed to one loss: `weighted` = `weight` × `loss`. */
export interface ComponentLoss {
  readonly name: string;
  readonly weight: number;
  readonly loss: number;
  readonly weighted: number;
  /** Rows that took part. */
  readonly count: number;
}

/** One call as it was made, with the temperature and alpha that hold where the strategy sets none. */
export interface BatchRequest<T extends FloatArray> {
  /** The method called, as errors name it. */
  readonly operation: string;
  readonly student: Matrix<T>;
  readonly teacher: Matrix<T>;
  readonly labels: Labels<T> | undefined;
  readonly mask: ArrayLike<number> | undefined;
  readonly normalizer: number | undefined;
  readonly temperature: number;
  readonly alpha: number;
}

/** One call, checked and resolved: what the formula of a strategy reads. */
export interface DistillationBatch<T extends FloatArray = Float32Array> extends BatchRequest<T> {
  /** The rows that take part, ascending. */
  readonly rows: Int32Array;
  /** What the sum over rows is divided by. */
  readonly normalizer: number;
  /** A combinator reports its parts here. */
  readonly components: ComponentLoss[];
}

/** Where a strategy adds its gradient: `matrix += scale × derivative`. */
export interface GradientSink<T extends FloatArray = Float32Array> {
  readonly matrix: Matrix<T>;
  readonly scale: number;
}

/** Checks what every strategy needs of a call, and returns the rows that take part. */
export function checkRequest<T extends FloatArray>(request: BatchRequest<T>): Int32Array {
  const { operation, student, teacher, labels, mask, normalizer } = request;
  checkMatrix(operation, 'student', student);
  checkMatrix(operation, 'teacher', teacher);
  checkDtype(operation, 'teacher', teacher, student);
  if (teacher.rows !== student.rows) {
    const expected = [student.rows, teacher.columns];
    throwShape(operation, 'teacher', shapeOf(teacher), expected, "the student's rows");
  }
  if (labels !== undefined) {
    if (!isClassIndices(labels)) {
      checkMatrix(operation, 'labels', labels, 'be a Matrix or an Int32Array of class indices');
      checkDtype(operation, 'labels', labels, student);
    }
    const rows = labelRows(labels);
    if (rows !== student.rows) {
      throwShape(operation, 'labels', [rows], [student.rows], 'one label for each row');
    }
  }
  if (normalizer !== undefined) checkPositive(operation, 'normalizer', normalizer);
  return keptRows(operation, student.rows, labels, mask);
}

/** Throws unless `gradient` can take the student's gradient: its shape and format, no memory of an input. */
export function checkTarget<T extends FloatArray>(
  gradient: Matrix<T>,
  { operation, student, teacher, labels }: BatchRequest<T>,
): void {
  checkSameShape(operation, 'gradient', gradient, student);
  const inputs = { student, teacher, ...(labels && !isClassIndices(labels) && { labels }) };
  for (const [name, input] of Object.entries(inputs)) {
    if (!overlap(gradient.data, input.data)) continue;
    const received = `a view on the memory of ${name}`;
    refuse('OVERLAP', operation, 'gradient', 'have memory of its own', received);
  }
}

/** Throws unless `matrix` is a matrix in the student's shape and number format. */
export function checkSameShape<T extends FloatArray>(
  operation: string,
  argument: string,
  matrix: Matrix<T>,
  student: Matrix<T>,
): void {
  checkMatrix(operation, argument, matrix);
  checkDtype(operation, argument, matrix, student);
  if (matrix.rows === student.rows && matrix.columns === student.columns) return;
  throwShape(operation, argument, shapeOf(matrix), shapeOf(student), "the student's shape");
}

/**
 * The error for a loss that is not finite. Nobody looked for the culprit before: a NaN reaches the sum by
 * itself, so that good input never pays for the search.
 *
 * @param ruledOut - the value that rules an entry out (−Infinity for a logit, 0 for a probability), if any does
 * @param labels - the labels, where the loss depends on them
 */
export function throwNotFinite<T extends FloatArray>(
  { operation, student, teacher, rows }: DistillationBatch<T>,
  loss: number,
  ruledOut: number | undefined,
  labels: Labels<T> | undefined,
): never {
  const sides = [
    ['student', student, 'teacher', teacher],
    ['teacher', teacher, 'student', student],
  ] as const;
  for (const row of rows) {
    for (const [argument, matrix] of sides) checkRow(operation, argument, matrix, row, ruledOut);
  }
  if (ruledOut === undefined || teacher.columns !== student.columns) throwOverflow(operation, loss);
  for (const [argument, matrix, otherArgument, other] of sides) {
    for (const row of rows) {
      for (let column = 0; column < matrix.columns; column++) {
        const index = row * matrix.columns + column;
        if (matrix.data[index] !== ruledOut) continue;
        const isLabel = argument === 'student' && labels && hasClass(labels, row, column, index);
        if (!isLabel && other.data[index] === ruledOut) continue;
        const expected = `be above ${ruledOut} where the ${isLabel ? 'label' : otherArgument} is`;
        refuse('RULED_OUT', operation, argument, expected, String(ruledOut), { row, column });
      }
    }
  }
  throwOverflow(operation, loss);
}

export function throwOverflow(operation: string, loss: number): never {
  const received = `${loss} from finite input`;
  const hint = 'values or temperature are too extreme';
  refuse('OVERFLOW', operation, 'loss', 'be finite', received, undefined, hint);
}

/** Throws unless every entry of a row is finite, or ruled out, and one is not ruled out. */
export function checkRow(
  operation: string,
  argument: string,
  { data, columns }: Matrix<FloatArray>,
  row: number,
  ruledOut?: number,
): void {
  const values = data.subarray(row * columns, (row + 1) * columns);
  const column = values.findIndex((value) => !Number.isFinite(value) && value !== ruledOut);
  if (column >= 0) {
    const received = String(values[column]);
    const place = { row, column };
    refuse('NOT_FINITE', operation, argument, 'be finite', received, place);
  }
  if (values.some((value) => value !== ruledOut)) return;
  const received = `${ruledOut} in every column`;
  refuse('RULED_OUT', operation, argument, 'leave a column possible', received, { row });
}

export function checkMatrix(
  operation: string,
  argument: string,
  value: Matrix<FloatArray>,
  expected = 'be a Matrix',
): void {
  // By structure, not by class: a program may hold two copies of the library, one for import, one for require.
  if (value?.numeric?.dtype === undefined) throwType(operation, argument, expected, value);
  const { data, rows, columns } = value;
  if (data.length === rows * columns) return; // it is 0 once the buffer was transferred
  throwShape(operation, `${argument}.data`, [data.length], [rows * columns], 'its shape');
}

function checkDtype(
  operation: string,
  argument: string,
  matrix: Matrix<FloatArray>,
  student: Matrix<FloatArray>,
): void {
  const { dtype } = student.numeric;
  if (matrix.numeric.dtype === dtype) return;
  const expected = `be ${dtype} as the student`;
  const hint = `use ${argument}.as(${dtype})`;
  refuse('DTYPE_MISMATCH', operation, argument, expected, matrix.numeric.dtype, undefined, hint);
}

function shapeOf(matrix: Matrix<FloatArray>): [number, number] {
  return [matrix.rows, matrix.columns];
}

function overlap(a: FloatArray, b: FloatArray): boolean {
  return (
    a.buffer === b.buffer &&
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength
  );
}
