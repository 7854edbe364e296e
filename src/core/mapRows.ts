import { Matrix } from './matrix.js';
import type { FloatArray } from './numeric.js';

/** A matrix of a row for each row; `write` gets the offset at which that one starts, and writes the new one. */
export function mapRows<T extends FloatArray>(
  { rows, columns, numeric }: Matrix<T>,
  newColumns: number,
  write: (offset: number, row: Float64Array) => void,
): Matrix<T> {
  const data = numeric.allocate(rows * newColumns);
  const row = new Float64Array(newColumns);
  for (let i = 0; i < rows; i++) {
    write(i * columns, row);
    data.set(row, i * newColumns);
  }
  return new Matrix(data, rows, newColumns);
}
