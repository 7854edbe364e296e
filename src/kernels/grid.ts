import type { FloatArray } from '../numeric.js';

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
