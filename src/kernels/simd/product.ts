// Products of matrices through the WebAssembly kernels, a tile at a time.

import type { FloatArray } from '../../numeric.js';
import { simdKernel } from '../choice.js';
import type { Grid } from '../grid.js';
import { align, reserve } from './instance.js';

// A tile of each matrix, so that all three stay in the second-level cache.
const ROWS = 64;
const INNER = 256;
const COLUMNS = 128;

/** Bytes of a double, in which all is computed. */
const SIZE = 8;

/** Below so many multiplications copying costs more than it gains. */
const FEW = 512;

/**
 * result += a · b; `false`, and nothing done, where there is no kernel for it. Where b is the transpose of a, half of the
 * work is saved, and what was in the result has to be symmetric.
 */
export function addProductFast(result: Float64Array, a: Grid, b: Grid): boolean {
  if (a.rows * a.columns * b.columns < FEW) return false;
  const simd = simdKernel();
  if (!simd) return false;
  const { kernels } = simd;
  const bytes = SIZE * (ROWS * INNER + INNER * COLUMNS + ROWS * COLUMNS);
  const aStart = reserve(simd, 0, bytes);
  const bStart = aStart + SIZE * ROWS * INNER;
  const cStart = bStart + SIZE * INNER * COLUMNS;
  const memory = simd.float64; // after the memory has grown
  const isTransposed = b.columnStride !== 1;
  const kernel = isTransposed ? kernels.productOfTransposed64 : kernels.product64;
  // Of a matrix with its own transpose, what is below the diagonal is known from above it.
  const isGram = a.data === b.data && a.rowStride === b.columnStride && a.rows === b.columns;
  for (let j = 0; j < b.columns; j += COLUMNS) {
    const columns = Math.min(COLUMNS, b.columns - j);
    for (let k = 0; k < a.columns; k += INNER) {
      const inner = Math.min(INNER, a.columns - k);
      // The kernel wants b in rows along the dimension in which it is contiguous.
      const across = isTransposed ? inner : columns;
      const lines = isTransposed ? columns : inner;
      const lineStride = isTransposed ? b.columnStride : b.rowStride;
      const bFrom = k * b.rowStride + j * b.columnStride;
      const bBytes = stage(memory, bStart, b.data, bFrom, lines, across, lineStride, 1);
      for (let i = 0; i < a.rows; i += ROWS) {
        if (isGram && i >= j + columns) break;
        const rows = Math.min(ROWS, a.rows - i);
        const aFrom = i * a.rowStride + k * a.columnStride;
        const { rowStride, columnStride } = a;
        const aBytes = stage(memory, aStart, a.data, aFrom, rows, inner, rowStride, columnStride);
        const cBytes = align(columns * SIZE);
        if (isTransposed) kernel(aStart, bStart, cStart, rows, aBytes, columns, cBytes);
        else kernel(aStart, bStart, cStart, rows, inner, bBytes, aBytes);
        for (let row = 0; row < rows; row++) {
          const from = (cStart + row * cBytes) / SIZE;
          const to = (i + row) * b.columns + j;
          const first = isGram ? Math.max(0, i + row - j) : 0;
          for (let column = first; column < columns; column++) {
            result[to + column]! += memory[from + column]!;
          }
        }
      }
    }
  }
  if (isGram) mirror(result, a.rows);
  return true;
}

/** Makes a square matrix symmetric by what is above its diagonal. */
function mirror(square: Float64Array, rows: number): void {
  for (let i = 1; i < rows; i++) {
    for (let j = 0; j < i; j++) square[i * rows + j] = square[j * rows + i]!;
  }
}

/** Copies a tile to whole vectors, with zeros behind its rows; returns the bytes of a row. */
function stage(
  memory: Float64Array,
  address: number,
  data: FloatArray,
  from: number,
  rows: number,
  columns: number,
  rowStride: number,
  columnStride: number,
): number {
  const rowBytes = align(columns * SIZE);
  for (let row = 0; row < rows; row++) {
    const begin = (address + row * rowBytes) / SIZE;
    const start = from + row * rowStride;
    if (columnStride === 1) {
      memory.set(data.subarray(start, start + columns), begin);
    } else {
      for (let j = 0; j < columns; j++) memory[begin + j] = data[start + j * columnStride]!;
    }
    memory.fill(0, begin + columns, begin + rowBytes / SIZE);
  }
  return rowBytes;
}
