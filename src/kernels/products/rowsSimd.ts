// Operations on rows before and after products, by the WebAssembly kernels.

import type { FloatArray } from '../../core/numeric.js';
import { PRODUCTS } from '../../engine/binaries/products.js';
import { selectedInstance } from '../../engine/choice.js';
import { align } from '../../engine/instance.js';
import { FIRST_ADDRESS, VECTOR_BYTES } from '../../engine/layout.js';
import type { Grid } from './grid.js';
import { kernelsOf, LINES, stage, whole } from './panels.js';
import { BLOCK_SUMS, MIN_MULTIPLICATIONS } from './productSimd.js';

/**
 * Writes x · y of each row of float32; returns false, with nothing written, if there is no kernel
 * for it.
 */
export function dotsFast(x: Grid, y: Grid, result: Float64Array): boolean {
  const { rows, columns } = x;
  const isSingle = x.data.BYTES_PER_ELEMENT + y.data.BYTES_PER_ELEMENT === 8;
  if (!isSingle || rows * columns < MIN_MULTIPLICATIONS) return false;
  const instance = selectedInstance();
  if (!instance?.exportsOf(PRODUCTS)) return false;
  const { dots32 } = kernelsOf(instance);
  const bytes = bytesOf(columns);
  const most = mostRows(rows, bytes);
  const xStart = align(FIRST_ADDRESS);
  const yStart = y === x ? xStart : xStart + most * bytes;
  const sumStart = yStart + most * bytes;
  if (!instance.reach(sumStart + 8 * most)) return false;
  for (let row = 0; row < rows; row += most) {
    const lines = Math.min(most, rows - row);
    const part = { size: 4, line: row, lines, step: 0, steps: columns } as const;
    stage(instance, { ...part, grid: x, staged: xStart });
    if (y !== x) stage(instance, { ...part, grid: y, staged: yStart });
    dots32(xStart, yStart, sumStart, lines, bytes);
    result.set(instance.float64.subarray(sumStart / 8, sumStart / 8 + lines), row);
  }
  return true;
}

/**
 * Subtracts a reference row from each row of float32; returns false, with nothing written, if there
 * is no kernel for it.
 */
export function subtractFast(x: Grid, reference: Float64Array, result: Float32Array): boolean {
  const { rows, columns } = x;
  const instance = selectedInstance();
  if (!instance?.exportsOf(PRODUCTS)) return false;
  const { subtractRow32 } = kernelsOf(instance);
  const bytes = bytesOf(columns);
  const most = mostRows(rows, bytes);
  const row = align(FIRST_ADDRESS);
  const start = row + bytes;
  if (!instance.reach(start + most * bytes)) return false;
  const { float32 } = instance;
  float32.set(reference, row / 4);
  for (let line = 0; line < rows; line += most) {
    const lines = Math.min(most, rows - line);
    stage(instance, { grid: x, size: 4, line, lines, step: 0, steps: columns, staged: start });
    subtractRow32(start, row, lines, bytes);
    copyRows(float32, start, lines, columns, result, line);
  }
  return true;
}

/**
 * Differences x − y − shift and middles (x + y) / 2 − middle of float32 rows.
 */
export interface Differences {
  readonly differences: Float32Array;
  readonly middles: Float32Array;
  /** ‖difference‖² and difference · middle of each row. */
  readonly squares: Float64Array;
  readonly dots: Float64Array;
}

/** Returns differences and middles; undefined if there is no kernel for them, or no memory. */
export function differencesFast(
  x: Grid,
  y: Grid,
  shift: Float64Array,
  middle: Float64Array,
): Differences | undefined {
  const { rows, columns } = x;
  const instance = selectedInstance();
  if (!instance?.exportsOf(PRODUCTS)) return undefined;
  const { differ32 } = kernelsOf(instance);
  const bytes = bytesOf(columns);
  const most = mostRows(rows, bytes);
  const subtrahends = align(FIRST_ADDRESS); // the rows shift and middle
  const xStart = subtrahends + 2 * bytes;
  const yStart = xStart + most * bytes;
  const sumStart = yStart + most * bytes;
  if (!instance.reach(sumStart + 16 * most)) return undefined;
  const { float32, float64 } = instance;
  float32.fill(0, subtrahends / 4, xStart / 4);
  float32.set(shift, subtrahends / 4);
  float32.set(middle, (subtrahends + bytes) / 4);
  const differences = new Float32Array(rows * columns);
  const middles = new Float32Array(rows * columns);
  const squares = new Float64Array(rows);
  const dots = new Float64Array(rows);
  for (let row = 0; row < rows; row += most) {
    const lines = Math.min(most, rows - row);
    const part = { size: 4, line: row, lines, step: 0, steps: columns } as const;
    stage(instance, { ...part, grid: x, staged: xStart });
    stage(instance, { ...part, grid: y, staged: yStart });
    differ32(xStart, yStart, sumStart, lines, bytes, subtrahends);
    for (let i = 0; i < lines; i++) {
      squares[row + i] = float64[sumStart / 8 + 2 * i]!;
      dots[row + i] = float64[sumStart / 8 + 2 * i + 1]!;
    }
    copyRows(float32, xStart, lines, columns, differences, row);
    copyRows(float32, yStart, lines, columns, middles, row);
  }
  return { differences, middles, squares, dots };
}

/** Copies staged rows, from an address on, to rows of the result, from `row` on. */
function copyRows(
  memory: Float32Array,
  start: number,
  lines: number,
  columns: number,
  result: Float32Array,
  row: number,
): void {
  const width = bytesOf(columns) / 4;
  const isWhole = width === columns;
  const length = isWhole ? lines * columns : columns;
  for (let i = 0; i < (isWhole ? 1 : lines); i++) {
    const from = start / 4 + i * width;
    result.set(memory.subarray(from, from + length), (row + i) * columns);
  }
}

/** Returns the bytes of a row of float32, padded to whole vectors. */
function bytesOf(columns: number): number {
  return 4 * whole(columns, VECTOR_BYTES / 4);
}

/** Returns the number of rows, a multiple of LINES, that are staged at a time. */
function mostRows(rows: number, bytes: number): number {
  return whole(Math.min(rows, Math.max(1, Math.floor((4 * BLOCK_SUMS) / bytes))), LINES);
}

/**
 * Adds factor × values, of float32, to the sums of a kernel. The number of sums is a multiple of
 * four.
 */
export function addRowFast(sums: Float64Array, values: FloatArray, factor: number): void {
  const instance = selectedInstance()!;
  // Over the panels, which are no longer used and longer than a row.
  const row = align(FIRST_ADDRESS);
  instance.float32.set(values, row / 4);
  const { byteOffset, byteLength } = sums;
  kernelsOf(instance).addRow32(byteOffset, byteOffset + byteLength, row, factor);
}

/**
 * Converts scale × sums of a kernel to float32, in place. The number of sums is a multiple of four.
 */
export function toSingles(sums: Float64Array, scale: number): Float32Array {
  const { buffer, byteOffset, byteLength, length } = sums;
  kernelsOf(selectedInstance()!).scaledTo32(byteOffset, byteOffset + byteLength, scale);
  return new Float32Array(buffer, byteOffset, length);
}
