import type { FloatArray } from '../../core/numeric.js';

/** A matrix, or its transpose, as a view on an array. */
export interface Grid {
  readonly data: FloatArray;
  readonly rows: number;
  readonly columns: number;
  /** Distances in `data` between neighbouring rows and neighbouring columns; one of them is 1. */
  readonly rowStride: number;
  readonly columnStride: number;
}

/** Returns a view on contiguous rows. */
export function grid(data: FloatArray, rows: number, columns: number): Grid {
  return { data, rows, columns, rowStride: columns, columnStride: 1 };
}

/** Returns the transpose, as a view on the same data. */
export function transpose({ data, rows, columns, rowStride, columnStride }: Grid): Grid {
  return { data, rows: columns, columns: rows, rowStride: columnStride, columnStride: rowStride };
}

/** Copies the transpose of a matrix. Source and result each start at an offset of their array. */
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
