// Products of matrices by the WebAssembly kernels, a block at a time.

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
  LINE_BYTES,
  ROW_LINES,
  STEPS,
  SUMS,
  TILE,
  TILE_BYTES,
  VECTOR_BYTES,
} from '../../engine/layout.js';
import { type Grid, transpose } from './grid.js';
import { kernelsOf, LINES, type Part, pack, stage, whole } from './panels.js';

/** The dtype in which a product is computed. */
export type Precision = 'float32' | 'float64';

/** Largest number of rows of a block of the result: the sums of a block stay in the L2 cache. */
const BLOCK_ROWS = 512;

/** Largest number of sums of a block. */
export const BLOCK_SUMS: number = BLOCK_ROWS * BLOCK_ROWS;

/** Largest number of columns of a block. */
const MAX_BLOCK_COLUMNS = 1024;

/** Largest number of bytes of a row that are copied at a time. */
const STAGED_BYTES = 4096;

/**
 * Least number of multiplications for the kernel: below, copying takes longer than the kernel
 * saves.
 */
export const MIN_MULTIPLICATIONS = 512;

/**
 * Float32 sums are accepted if one of them is larger than this; the least float32 is 2^59 smaller.
 */
const MIN_SUM = 2 ** -90;

/**
 * A row of a factor is rounded to float32 if one of its elements is larger than this; the least
 * float32 with full precision is 2^63 smaller.
 */
const MIN_FACTOR = 2 ** -63;

/** One block of a · b. */
interface Block {
  readonly a: Grid;
  /** The transpose of b, whose rows are columns of the result. */
  readonly b: Grid;
  /** First row of the block, and the number of its rows. */
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
  /** Whether the block is on the diagonal of a · aᵀ: elements below the diagonal are left out. */
  readonly isGram: boolean;
}

/**
 * Takes `length` sums of one row of the product, which start at index `from` of `sums` and at
 * `column` of the product.
 */
export type TakeSums = (
  row: number,
  column: number,
  sums: Float64Array,
  from: number,
  length: number,
) => void;

/**
 * Computes a · b and passes parts of its rows to `take`; returns false, with nothing done, if there
 * is no kernel for it.
 *
 * @param isGram - whether b is the transpose of a, and elements below the diagonal may be left out
 */
export function multiplyFast(
  a: Grid,
  b: Grid,
  precision: Precision,
  isGram: boolean,
  take: TakeSums,
): boolean {
  if (a.rows * a.columns * b.columns < MIN_MULTIPLICATIONS) return false;
  const instance = selectedInstance();
  if (!instance?.exportsOf(PRODUCTS)) return false;
  const transposed = transpose(b);
  const height = whole(Math.min(BLOCK_ROWS, a.rows), LINES);
  const widest = isGram ? BLOCK_ROWS : Math.min(BLOCK_SUMS / height, MAX_BLOCK_COLUMNS);
  const blockColumns = Math.floor(widest / LINES) * LINES;
  for (let row = 0; row < a.rows; row += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, a.rows - row);
    for (let column = isGram ? row : 0; column < b.columns; column += blockColumns) {
      const columns = Math.min(blockColumns, b.columns - column);
      const isDiagonal = isGram && column === row;
      const block = { a, b: transposed, row, rows, column, columns, isGram: isDiagonal };
      const singles = precision === 'float32' ? multiplySingles(instance, block) : undefined;
      const sums = singles ?? multiply(instance, 8, block);
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
 * Computes a block in float32; undefined if a product was too large for float32, or if all may be
 * too small.
 */
function multiplySingles(instance: Instance, block: Block): Float64Array | undefined {
  const count = countNonzeroRows(block); // the products of rows of zeros are exact
  if (count === undefined) return undefined;
  const sums = multiply(instance, 4, block);
  const areFinite = kernelsOf(instance).moderate64(sums.byteOffset, sums.byteLength);
  const isExact = count === 0 || sums.some((sum) => Math.abs(sum) > MIN_SUM);
  return areFinite && isExact ? sums : undefined;
}

/**
 * Returns the number of rows of a that are not all zeros. Undefined if a row has only elements so
 * small that float32 loses their digits. The elements of b need no check, because they come from
 * float32.
 */
export function countNonzeroRows({
  a,
  row,
  rows,
}: Pick<Block, 'a' | 'row' | 'rows'>): number | undefined {
  let count = 0;
  for (let i = row; i < row + rows; i++) {
    let largest = 0;
    for (let k = 0; k < a.columns && largest < MIN_FACTOR; k++) {
      largest = Math.max(largest, Math.abs(a.data[i * a.rowStride + k * a.columnStride]!));
    }
    if (largest === 0) continue;
    if (largest < MIN_FACTOR) return undefined;
    count++;
  }
  return count;
}

/**
 * Computes a block with numbers of `size` bytes. Returns its sums, padded to whole float32 panels
 * in both directions.
 */
function multiply(
  instance: Instance,
  size: 4 | 8,
  { a, b, row, rows, column, columns, isGram }: Block,
): Float64Array {
  const unit = VECTOR_BYTES / size;
  const chunk = Math.min(STAGED_BYTES / size, whole(a.columns, unit));
  const depth = Math.min(LINE_BYTES / size, chunk);
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
  if (isGram) sums.fill(0); // the kernel does not write below the diagonal
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
    // Every property is written out, because spreading takes longer than a small product.
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
