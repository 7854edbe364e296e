// The content of a matrix, made of rows of numbers or of classes.

import { allocate } from './allocate.js';
import { checkNumeric, checkValue } from './convert.js';
import { checkIndex, checkInteger, refuse, throwShape, throwType } from './errors.js';
import type { FloatArray, NumericTrait } from './numeric.js';

/** The numbers of a matrix, row after row, and its shape. */
export interface MatrixContent<T extends FloatArray = FloatArray> {
  readonly data: T;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Allocates zeros for the call of an operation.
 *
 * @param sizes - the arguments that give the rows and the columns, in this order, by name
 * @throws {DistillationError} OUT_OF_RANGE for a size that is no integer in range, and for more
 *   elements than the engine can allocate
 */
export function zeroContent<T extends FloatArray>(
  operation: string,
  sizes: Readonly<Record<string, number>>,
  numeric: NumericTrait<T>,
): MatrixContent<T> {
  // Rows, the first size, may be 0; columns, the second, are at least 1.
  const shape = Object.entries(sizes).map(([name, size], least) =>
    checkInteger(operation, name, size, least),
  );
  checkNumeric(operation, numeric);
  const data = allocate(operation, sizes, (length) => numeric.allocate(length));
  return { data, rows: shape[0]!, columns: shape[1]! };
}

/** Copies rows of numbers; throws unless they have equal length and the format can hold them. */
export function readRows(
  operation: string,
  rows: readonly ArrayLike<number>[],
  numeric: NumericTrait<FloatArray>,
): MatrixContent {
  if (!Array.isArray(rows)) throwType(operation, 'rows', 'be an array of rows', rows);
  if (rows.length === 0) {
    refuse('EMPTY', operation, 'rows', 'hold at least one row of numbers', 'none');
  }
  if (rows[0]?.length === undefined) {
    const hint = 'write [[1, 2, 3]] for a single row';
    throwType(operation, 'rows[0]', 'be an array of numbers', rows[0], hint);
  }
  const { length: columns } = rows[0];
  const content = zeroContent(operation, { rows: rows.length, columns }, numeric);
  for (let row = 0; row < rows.length; row++) {
    const values = rows[row]!;
    if (values?.length !== columns) {
      const argument = `rows[${row}]`;
      throwShape(operation, argument, [values?.length], [columns], 'the length of rows[0]');
    }
    for (let column = 0; column < columns; column++) {
      const value = checkValue(operation, numeric, row, column, values[column]);
      content.data[row * columns + column] = value;
    }
  }
  return content;
}

/** One row for each class: 1 in its column, 0 elsewhere; throws unless they are in [0, columns). */
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
