import type { FloatArray } from '../../core/numeric.js';

/** A matrix, or its transpose, as a view on an array. */
export interface Grid {
  readonly data: FloatArray;
  readonly rows: number;
  readonly columns: number;
  /** From one row, and one column, to the next; one of them is 1. */
  readonly rowStride: number;
  readonly columnStride: number;
}

export function grid(data: FloatArray, rows: number, columns: number): Grid {
  return { data, rows, columns, rowStride: columns, columnStride: 1 };
}

export function transpose({ data, rows, columns, rowStride, columnStride }: Grid): Grid {
  return { data, rows: columns, columns: rows, rowStride: columnStride, columnStride: rowStride };
}

/** Writes the transpose of a matrix, row after row; both stand at an offset of theirs. */
export function copyTransposed(
  source: FloatArray,
  sourceOffset: number,
  rows: number,
  columns: number,
  result: FloatArray,
  resultOffset: number,
): void {
  for (let i = 0; i < rows; i++) {
    const from = sourceOffset + i * columns;
    for (let j = 0; j < columns; j++) result[resultOffset + j * rows + i] = source[from + j]!;
  }
}
