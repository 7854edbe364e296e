// Products of matrices through the WebAssembly kernels, a block at a time.

import type { FloatArray } from '../../core/numeric.js';
import { PRODUCTS } from '../../engine/binaries/products.js';
import { selectedInstance } from '../../engine/choice.js';
import { align, type Instance } from '../../engine/instance.js';
import {
  A_PANELS,
  B_PANELS,
  CALL,
  COLUMN_LINES,
  FIRST_ADDRESS,
  IS_GRAM,
  PANEL_BYTES,
  ROW_LINES,
  STEPS,
  SUMS,
  TILE,
  TILE_BYTES,
  VECTOR_BYTES,
} from '../../engine/layout.js';
import { type Grid, transpose } from './grid.js';

/** The dtype in which a product is computed. */
export type Precision = 'float32' | 'float64';

/** sums += A · B, described at an address; see src/engine/layout.ts. */
type Product = (call: number) => void;

/** Panels of lines that stand at `source`. */
type Pack = (source: number, target: number, lines: number, steps: number) => void;

interface ProductKernels {
  readonly product32: Product;
  readonly product64: Product;
  readonly packRows32: Pack;
  readonly packRows64: Pack;
  readonly packColumns32: Pack;
  readonly packColumns64: Pack;
  /** Whether all numbers from an address on are finite and not extreme. */
  readonly moderate64: (address: number, bytes: number) => number;
}

function kernelsOf(instance: Instance): ProductKernels {
  return instance.exportsOf<ProductKernels>(PRODUCTS);
}

/** Largest number of rows and columns of a block of the result: its sums stay in the L2 cache. */
const BLOCK = 512;

/** Bytes of a line of a panel at most; a panel of B then stays in the L1 cache. */
const LINE = 1024;

/** Lines of a panel of float32; a multiple of those of float64. */
const LINES = PANEL_BYTES / 4;

/** Below this number of multiplications, copying costs more than the kernel gains. */
const FEW = 512;

/** Sums of products in float32 are trusted if one of them is larger: float32 ends 2^59 below. */
const LEAST = 2 ** -90;

/** Rows of a factor are rounded to float32 if one of their numbers is larger: full precision ends 2^63 below. */
const LEAST_FACTOR = 2 ** -63;

/** One block of a · b. */
interface Block {
  readonly a: Grid;
  /** The transpose of b, whose rows are columns of the result. */
  readonly b: Grid;
  /** The first row of the block, and the number of its rows. */
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
  /** Whether it lies on the diagonal of a · aᵀ, and only what is above that is wanted. */
  readonly isGram: boolean;
}

/** Takes `length` sums, from `from` on, that stand in a row of the product from a column on. */
export type TakeSums = (
  row: number,
  column: number,
  sums: Float64Array,
  from: number,
  length: number,
) => void;

/**
 * Computes a · b, a part of a row at a time; returns false, with nothing done, where there is no kernel for it.
 *
 * @param isGram - whether b is the transpose of a, and what is below the diagonal may be left out
 */
export function multiplyFast(
  a: Grid,
  b: Grid,
  precision: Precision,
  isGram: boolean,
  take: TakeSums,
): boolean {
  if (a.rows * a.columns * b.columns < FEW) return false;
  const instance = selectedInstance();
  if (!instance) return false;
  const turned = transpose(b);
  for (let row = 0; row < a.rows; row += BLOCK) {
    const rows = Math.min(BLOCK, a.rows - row);
    for (let column = isGram ? row : 0; column < b.columns; column += BLOCK) {
      const columns = Math.min(BLOCK, b.columns - column);
      const isDiagonal = isGram && column === row;
      const block = { a, b: turned, row, rows, column, columns, isGram: isDiagonal };
      const sums =
        (precision === 'float32' && inSingles(instance, block)) || multiply(instance, 8, block);
      const width = whole(columns, LINES);
      for (let i = 0; i < rows; i++) {
        const left = isDiagonal ? i : 0;
        take(row + i, column + left, sums, i * width + left, columns - left);
      }
    }
  }
  return true;
}

/** The block in float32; `undefined` where some of the products were too large for it, or all may be too small. */
function inSingles(instance: Instance, block: Block): Float64Array | undefined {
  if (!areClear(block)) return undefined;
  const sums = multiply(instance, 4, block);
  const areFinite = kernelsOf(instance).moderate64(sums.byteOffset, sums.byteLength);
  return areFinite && sums.some((sum) => Math.abs(sum) > LEAST) ? sums : undefined;
}

/** Whether float32 keeps the digits of a, of each of whose rows something is large enough; b is, or is made of, float32. */
function areClear({ a, row, rows }: Block): boolean {
  for (let i = row; i < row + rows; i++) {
    let largest = 0;
    for (let k = 0; k < a.columns && largest < LEAST_FACTOR; k++) {
      largest = Math.max(largest, Math.abs(a.data[i * a.rowStride + k * a.columnStride]!));
    }
    if (largest > 0 && largest < LEAST_FACTOR) return false;
  }
  return true;
}

/** The block, by products of numbers of `size` bytes; its rows and columns fill whole panels of float32. */
function multiply(
  instance: Instance,
  size: 4 | 8,
  { a, b, row, rows, column, columns, isGram }: Block,
): Float64Array {
  const depth = Math.min(LINE / size, whole(a.columns, VECTOR_BYTES / size));
  const [height, width] = [whole(rows, LINES), whole(columns, LINES)];
  const [aBytes, bBytes] = [height * depth * size, width * depth * size];
  const tile = align(FIRST_ADDRESS);
  const aStart = tile + TILE_BYTES;
  const bStart = isGram ? aStart : aStart + aBytes;
  const staged = aStart + aBytes + bBytes;
  const sumStart = staged + Math.max(aBytes, bBytes);
  const sumBytes = 8 * height * width;
  instance.reach(sumStart + sumBytes);
  const sums = instance.float64.subarray(sumStart / 8, (sumStart + sumBytes) / 8);
  sums.fill(0);
  const { int32 } = instance;
  int32[(CALL + A_PANELS) / 4] = aStart;
  int32[(CALL + B_PANELS) / 4] = bStart;
  int32[(CALL + SUMS) / 4] = sumStart;
  int32[(CALL + TILE) / 4] = tile;
  int32[(CALL + ROW_LINES) / 4] = height;
  int32[(CALL + COLUMN_LINES) / 4] = width;
  int32[(CALL + IS_GRAM) / 4] = isGram ? 1 : 0;
  const { product32, product64 } = kernelsOf(instance);
  for (let k = 0; k < a.columns; k += depth) {
    const steps = Math.min(depth, a.columns - k);
    const part = { size, step: k, steps, staged };
    pack(instance, { ...part, grid: a, line: row, lines: rows, target: aStart });
    if (!isGram) pack(instance, { ...part, grid: b, line: column, lines: columns, target: bStart });
    int32[(CALL + STEPS) / 4] = whole(steps, VECTOR_BYTES / size);
    if (size === 4) product32(CALL);
    else product64(CALL);
  }
  return sums;
}

/** A part of a factor that becomes panels: rows of the grid are lines, its columns steps. */
interface Part {
  readonly grid: Grid;
  /** Bytes of a number. */
  readonly size: 4 | 8;
  /** The first line, and the number of lines. */
  readonly line: number;
  readonly lines: number;
  readonly step: number;
  readonly steps: number;
  /** Where the part is copied to first. */
  readonly staged: number;
  readonly target: number;
}

function pack(instance: Instance, part: Part): void {
  const { size, staged, target } = part;
  const kernels = kernelsOf(instance);
  const lines = whole(part.lines, LINES);
  const steps = whole(part.steps, VECTOR_BYTES / size);
  const memory = instance.floats(size).subarray(staged / size, staged / size + lines * steps);
  if (part.grid.columnStride === 1) {
    stage(memory, steps, part);
    (size === 4 ? kernels.packRows32 : kernels.packRows64)(staged, target, lines, steps);
  } else {
    const { line, lines: count, step, steps: countOfSteps } = part;
    const turned = { line: step, lines: countOfSteps, step: line, steps: count };
    stage(memory, lines, { ...part, ...turned, grid: transpose(part.grid) });
    (size === 4 ? kernels.packColumns32 : kernels.packColumns64)(staged, target, lines, steps);
  }
}

/** Copies the lines, each to a row of `width` numbers, with zeros beside and below them. */
function stage(
  memory: FloatArray,
  width: number,
  { grid: { data, rowStride }, line, lines, step, steps }: Part,
): void {
  const from = line * rowStride + step;
  if (steps < width || lines * width < memory.length) memory.fill(0);
  if (steps === width && rowStride === steps) {
    memory.set(data.subarray(from, from + lines * steps));
    return;
  }
  for (let i = 0; i < lines; i++) {
    const start = from + i * rowStride;
    memory.set(data.subarray(start, start + steps), i * width);
  }
}

/** The next multiple of a unit. */
function whole(length: number, unit: number): number {
  return Math.ceil(length / unit) * unit;
}
