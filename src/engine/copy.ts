// Rows of a matrix to the memory of the kernels and back, where a row may be longer, of whole vectors.

import type { FloatArray } from '../core/numeric.js';
import type { Target } from './target.js';

/** So low that what pads a row adds nothing; a row that is as low itself is refused by the kernels. */
export const PADDING = -1e30;

export function copyIn(
  values: FloatArray,
  offset: number,
  columns: number,
  rows: number,
  memory: FloatArray,
  address: number,
  rowBytes: number,
): void {
  const start = address / memory.BYTES_PER_ELEMENT;
  const stride = rowBytes / memory.BYTES_PER_ELEMENT;
  if (stride === columns) {
    memory.set(part(values, offset, rows * columns), start);
    return;
  }
  for (let row = 0; row < rows; row++) {
    const begin = start + row * stride;
    memory.set(part(values, offset + row * columns, columns), begin);
    memory.fill(PADDING, begin + columns, begin + stride);
  }
}

export function copyOut(
  memory: FloatArray,
  address: number,
  rowBytes: number,
  columns: number,
  rows: number,
  { data, adds }: Target,
  row: number,
): void {
  const start = address / memory.BYTES_PER_ELEMENT;
  const stride = rowBytes / memory.BYTES_PER_ELEMENT;
  const isDense = stride === columns;
  const length = isDense ? rows * columns : columns;
  for (let i = 0; i < (isDense ? 1 : rows); i++) {
    const from = start + i * stride;
    const to = (row + i) * columns;
    if (!adds) {
      data.set(memory.subarray(from, from + length), to);
      continue;
    }
    for (let j = 0; j < length; j++) data[to + j]! += memory[from + j]!;
  }
}

/** A view, or all of it where that is meant: a view takes longer to make than a short row to copy. */
function part(values: FloatArray, offset: number, length: number): FloatArray {
  return length === values.length ? values : values.subarray(offset, offset + length);
}
