// Products of matrices through the WebAssembly kernels, a block at a time.

import { PRODUCTS } from '../../engine/binaries/products.js';
import { selectedInstance } from '../../engine/choice.js';
import { align, type Instance } from '../../engine/instance.js';
import {
  A_PANELS,
  ADDS_STEPS,
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

/** sums = A · B or sums += A · B, described at an address; see src/engine/layout.ts. */
type Product = (call: number) => void;

/** Panels of lines that stand at `source`. */
type Pack = (source: number, stride: number, target: number, lines: number, steps: number) => void;

/** Of `lines` rows x and y, of `bytes` each; the two rows that they are less stand at `less`. */
type Differ = (
  ...call: [x: number, y: number, sums: number, lines: number, bytes: number, less: number]
) => void;

export interface ProductKernels {
  readonly product32: Product;
  readonly product64: Product;
  readonly packRows32: Pack;
  readonly packRows64: Pack;
  readonly packColumns32: Pack;
  readonly packColumns64: Pack;
  /** Writes, in doubles, the product of each row of `bytes` with the same row of the other side. */
  readonly dots32: (x: number, y: number, target: number, lines: number, bytes: number) => void;
  /** sums += factor × a row of float32. */
  readonly addRow32: (sums: number, end: number, row: number, factor: number) => void;
  /** Subtracts a row from each of the rows. */
  readonly subtractRow32: (rows: number, row: number, lines: number, bytes: number) => void;
  /**
   * Rows x and y become what they differ by and their middle, both less a row; writes products of
   * these.
   */
  readonly differ32: Differ;
  /** Makes float32 of scale × doubles, in place. */
  readonly scaledTo32: (pointer: number, end: number, scale: number) => void;
  /** Whether all numbers from an address on are finite and not extreme. */
  readonly moderate64: (address: number, bytes: number) => number;
}

export function kernelsOf(instance: Instance): ProductKernels {
  return instance.exportsOf<ProductKernels>(PRODUCTS)!;
}

/** Largest number of rows of a block of the result, and of its sums: they stay in the L2 cache. */
const BLOCK = 512;
export const BLOCK_SUMS: number = BLOCK * BLOCK;

/** Largest number of columns of a block. */
const WIDEST = 1024;

/** Largest number of bytes of a row that are copied at a time. */
const STAGED = 4096;

/** Bytes of a line of a panel at most; a panel of B then stays in the L1 cache. */
const LINE = 1024;

/** Lines of a panel of float32; a multiple of those of float64. */
export const LINES: number = PANEL_BYTES / 4;

/** Below this number of multiplications, copying costs more than the kernel gains. */
export const FEW = 512;

/** Sums of products in float32 are trusted if one of them is larger: float32 ends 2^59 below. */
const LEAST = 2 ** -90;

/**
 * Rows of a factor are rounded to float32 if one of their numbers is larger: full precision ends
 * 2^63 below.
 */
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
 * Computes a · b, a part of a row at a time; returns false, with nothing done, where there is no
 * kernel for it.
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
  if (!instance?.exportsOf(PRODUCTS)) return false;
  const turned = transpose(b);
  const height = Math.min(BLOCK, a.rows);
  const widest = isGram ? BLOCK : Math.min(BLOCK_SUMS / whole(height, LINES), WIDEST);
  const most = Math.floor(widest / LINES) * LINES;
  for (let row = 0; row < a.rows; row += BLOCK) {
    const rows = Math.min(BLOCK, a.rows - row);
    for (let column = isGram ? row : 0; column < b.columns; column += most) {
      const columns = Math.min(most, b.columns - column);
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

/**
 * The block in float32; `undefined` where some of the products were too large for it, or all may be
 * too small.
 */
function inSingles(instance: Instance, block: Block): Float64Array | undefined {
  const count = clearRows(block); // of zeros alone, products are exact
  if (count === undefined) return undefined;
  const sums = multiply(instance, 4, block);
  const areFinite = kernelsOf(instance).moderate64(sums.byteOffset, sums.byteLength);
  return areFinite && (count === 0 || sums.some((sum) => Math.abs(sum) > LEAST)) ? sums : undefined;
}

/**
 * Number of rows of a that are not zeros, in each of which something is large enough for float32 to
 * keep its digits; `undefined` where one is too small. b is, or is made of, float32.
 */
export function clearRows({ a, row, rows }: Pick<Block, 'a' | 'row' | 'rows'>): number | undefined {
  let count = 0;
  for (let i = row; i < row + rows; i++) {
    let largest = 0;
    for (let k = 0; k < a.columns && largest < LEAST_FACTOR; k++) {
      largest = Math.max(largest, Math.abs(a.data[i * a.rowStride + k * a.columnStride]!));
    }
    if (largest === 0) continue;
    if (largest < LEAST_FACTOR) return undefined;
    count++;
  }
  return count;
}

/**
 * The block, by products of numbers of `size` bytes; its rows and columns fill whole panels of
 * float32.
 */
function multiply(
  instance: Instance,
  size: 4 | 8,
  { a, b, row, rows, column, columns, isGram }: Block,
): Float64Array {
  const unit = VECTOR_BYTES / size;
  const chunk = Math.min(STAGED / size, whole(a.columns, unit));
  const depth = Math.min(LINE / size, chunk);
  const height = whole(rows, LINES);
  const width = whole(columns, LINES);
  const tile = align(FIRST_ADDRESS);
  const aStart = tile + TILE_BYTES;
  const bStart = isGram ? aStart : aStart + height * depth * size;
  const aStaged = bStart + width * depth * size;
  const bStaged = aStaged + height * chunk * size;
  const sumStart = isGram ? bStaged : bStaged + width * chunk * size;
  const sumBytes = 8 * height * width;
  instance.reach(sumStart + sumBytes);
  const sums = instance.float64.subarray(sumStart / 8, (sumStart + sumBytes) / 8);
  if (isGram) sums.fill(0); // what is below the diagonal is not written
  const { int32 } = instance;
  int32[(CALL + A_PANELS) / 4] = aStart;
  int32[(CALL + B_PANELS) / 4] = bStart;
  int32[(CALL + SUMS) / 4] = sumStart;
  int32[(CALL + TILE) / 4] = tile;
  int32[(CALL + ROW_LINES) / 4] = height;
  int32[(CALL + COLUMN_LINES) / 4] = width;
  int32[(CALL + IS_GRAM) / 4] = isGram ? 1 : 0;
  const { product32, product64 } = kernelsOf(instance);
  for (let from = 0; from < a.columns; from += chunk) {
    const length = Math.min(chunk, a.columns - from);
    // Written out: for small products, spreading takes longer than to multiply.
    const ofA: Part = {
      grid: a,
      size,
      line: row,
      lines: rows,
      step: from,
      steps: length,
      staged: aStaged,
    };
    const ofB: Part = {
      grid: b,
      size,
      line: column,
      lines: columns,
      step: from,
      steps: length,
      staged: bStaged,
    };
    stage(instance, ofA);
    if (!isGram) stage(instance, ofB);
    for (let k = 0; k < length; k += depth) {
      const steps = whole(Math.min(depth, length - k), unit);
      pack(instance, ofA, k, steps, aStart);
      if (!isGram) pack(instance, ofB, k, steps, bStart);
      int32[(CALL + STEPS) / 4] = steps;
      int32[(CALL + ADDS_STEPS) / 4] = from + k > 0 ? 1 : 0;
      if (size === 4) product32(CALL);
      else product64(CALL);
    }
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
  /** Where the part is copied to. */
  readonly staged: number;
}

/** Makes panels of steps of a part that has been staged, from a step on. */
function pack(instance: Instance, part: Part, step: number, steps: number, target: number): void {
  const { grid, size, staged } = part;
  const kernels = kernelsOf(instance);
  const lines = whole(part.lines, LINES);
  const isByRows = grid.columnStride === 1;
  const stride = size * (isByRows ? whole(part.steps, VECTOR_BYTES / size) : lines);
  const source = staged + step * (isByRows ? size : stride);
  if (isByRows) {
    const packRows = size === 4 ? kernels.packRows32 : kernels.packRows64;
    packRows(source, stride, target, lines, steps);
  } else {
    const packColumns = size === 4 ? kernels.packColumns32 : kernels.packColumns64;
    packColumns(source, stride, target, lines, steps);
  }
}

/** Copies a part to its place, row after row as they stand, with zeros beside and below them. */
export function stage(instance: Instance, part: Part): void {
  const { grid, size, staged } = part;
  const memory = instance.floats(size);
  const to = staged / size;
  const lines = whole(part.lines, LINES);
  const steps = whole(part.steps, VECTOR_BYTES / size);
  const isByRows = grid.columnStride === 1;
  const height = isByRows ? lines : steps;
  const width = isByRows ? steps : lines;
  const rows = isByRows ? part.lines : part.steps;
  const columns = isByRows ? part.steps : part.lines;
  const stride = isByRows ? grid.rowStride : grid.columnStride;
  const from = part.line * grid.rowStride + part.step * grid.columnStride;
  if (columns < width || rows < height) memory.fill(0, to, to + height * width);
  if (columns === width && stride === columns) {
    memory.set(grid.data.subarray(from, from + rows * columns), to);
    return;
  }
  for (let i = 0; i < rows; i++) {
    const start = from + i * stride;
    memory.set(grid.data.subarray(start, start + columns), to + i * width);
  }
}

/** The next multiple of a unit. */
export function whole(length: number, unit: number): number {
  return Math.ceil(length / unit) * unit;
}
