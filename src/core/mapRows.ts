import { allocate } from './allocate.js';
import { Matrix } from './matrix.js';
import type { FloatArray } from './numeric.js';

/**
 * Creates a matrix that has one row for each row of another matrix.
 *
 * @param columns - number of columns of the new matrix
 * @param write - writes one new row; `offset` is the index in `matrix.data` at which the row of the
 * other matrix starts
 * @throws {DistillationError} OUT_OF_RANGE where the engine cannot allocate the new matrix
 */
export function mapRows<T extends FloatArray>(
  operation: string,
  matrix: Matrix<T>,
  columns: number,
  write: (offset: number, row: Float64Array) => void,
): Matrix<T> {
  const { rows, numeric } = matrix;
  const sizes = { 'result.rows': rows, 'result.columns': columns };
  const data = allocate(operation, sizes, (length) => numeric.allocate(length));
  const row = allocate(
    operation,
    { 'result.columns': columns },
    (length) => new Float64Array(length),
  );
  for (let i = 0; i < rows; i++) {
    write(i * matrix.columns, row);
    data.set(row, i * columns);
  }
  return new Matrix(data, rows, columns);
}
