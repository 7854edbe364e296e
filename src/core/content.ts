// Builds the data of a matrix from rows of numbers or from class indices.

import { allocate } from './allocate.js';
import { checkNumeric, checkValue } from './convert.js';
import { checkIndex, checkInteger, refuse, throwShape, throwType } from './errors.js';
import { matrixHint } from './hints.js';
import type { FloatArray, NumericTrait } from './numeric.js';

/** The numbers of a matrix, row after row, and its shape. */
export interface MatrixContent<T extends FloatArray = FloatArray> {
  readonly data: T;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Allocates a matrix of zeros.
 *
 * @param sizes - number of rows, then number of columns, each under the name of its argument
 * @throws {DistillationError} OUT_OF_RANGE for a size that is no integer in range, and for more
 *   elements than the engine can allocate
 */
export function zeroContent<T extends FloatArray>(
  operation: string,
  sizes: Readonly<Record<string, number>>,
  numeric: NumericTrait<T>,
): MatrixContent<T> {
  // The least number of rows is 0 and the least number of columns 1: the index of the size.
  const shape = Object.entries(sizes).map(([name, size], least) =>
    checkInteger(operation, name, size, least),
  );
  checkNumeric(operation, numeric);
  const data = allocate(operation, sizes, (length) => numeric.allocate(length));
  return { data, rows: shape[0]!, columns: shape[1]! };
}

/** Returns the index of an element in `data`; throws unless the matrix has the element. */
export function elementIndex(
  operation: string,
  { data, rows, columns }: MatrixContent,
  row: number,
  column: number,
): number {
  const { length } = data; // 0 after the buffer was transferred
  if (length !== rows * columns) {
    throwShape(operation, 'data', [length], [rows * columns], 'rows × columns');
  }
  checkIndex(operation, 'row', row, rows);
  checkIndex(operation, 'column', column, columns);
  return row * columns + column;
}

/** Copies rows of a matrix, in the order of the indices; throws unless each is in [0, rows). */
export function gatherContent<T extends FloatArray>(
  operation: string,
  matrix: MatrixContent<T>,
  indices: ArrayLike<number>,
  numeric: NumericTrait<T>,
): MatrixContent<T> {
  const { data, rows, columns } = matrix;
  const length: unknown = indices?.length;
  if (typeof length !== 'number') {
    throwType(operation, 'indices', 'be an array of row indices', indices);
  }
  const gathered = zeroContent(operation, { 'indices.length': length, columns }, numeric);
  for (let i = 0; i < length; i++) {
    checkIndex(operation, `indices[${i}]`, indices[i], rows);
    const start = elementIndex(operation, matrix, indices[i]!, 0);
    gathered.data.set(data.subarray(start, start + columns), i * columns);
  }
  return gathered;
}

/** Hint for the numbers of one row. */
const SINGLE = 'for a single row, use Matrix.fromRows([rows])';

/** Copies rows of numbers; throws unless they have equal length and the format can hold them. */
export function readRows(
  operation: string,
  rows: readonly ArrayLike<number>[],
  numeric: NumericTrait<FloatArray>,
): MatrixContent {
  if (!Array.isArray(rows)) {
    const hint = ArrayBuffer.isView(rows) ? SINGLE : matrixHint('rows', rows);
    throwType(operation, 'rows', 'be an array of rows', rows, hint);
  }
  if (rows.length === 0) {
    refuse('EMPTY', operation, 'rows', 'hold at least one row of numbers', 'none');
  }
  for (const [row, values] of rows.entries()) {
    if (typeof values === 'object' && typeof values?.length === 'number') continue;
    const hint = row === 0 && typeof values === 'number' ? SINGLE : undefined;
    throwType(operation, `rows[${row}]`, 'be an array of numbers', values, hint);
  }
  const { length: columns } = rows[0]!;
  if (columns === 0) refuse('EMPTY', operation, 'rows[0]', 'hold a number', 'an empty array');
  const content = zeroContent(operation, { rows: rows.length, columns }, numeric);
  for (let row = 0; row < rows.length; row++) {
    const values = rows[row]!;
    if (values.length !== columns) {
      const argument = `rows[${row}]`;
      throwShape(operation, argument, [values.length], [columns], 'the length of rows[0]');
    }
    for (let column = 0; column < columns; column++) {
      const value = checkValue(operation, numeric, row, column, values[column]);
      content.data[row * columns + column] = value;
    }
  }
  return content;
}

/** Builds one one-hot row for each class index; throws unless each index is in [0, columns). */
export function readClasses(
  operation: string,
  classes: ArrayLike<number>,
  columns: number,
  numeric: NumericTrait<FloatArray>,
): MatrixContent {
  const length: unknown = classes?.length;
  if (typeof length !== 'number') {
    throwType(operation, 'classes', 'be an array of class indices', classes);
  }
  const content = zeroContent(operation, { 'classes.length': length, columns }, numeric);
  for (let row = 0; row < length; row++) {
    checkIndex(operation, `classes[${row}]`, classes[row], columns);
    content.data[row * columns + classes[row]!] = 1;
  }
  return content;
}

/** Returns whether a value is a matrix. */
export function isMatrix(value: unknown): boolean {
  // The check is by structure: `instanceof` fails for a matrix of another copy of the library, such
  // as the CommonJS copy beside the ESM copy.
  const matrix = value as (MatrixContent & { readonly numeric?: { dtype?: string } }) | null;
  return matrix?.numeric?.dtype !== undefined && ArrayBuffer.isView(matrix.data);
}
