// Products of matrices through the WebAssembly kernels, a block at a time.

import type { FloatArray } from '../../core/numeric.js';
import { PRODUCTS } from '../../engine/binaries/products.js';
import { selectedInstance } from '../../engine/choice.js';
import type { Instance } from '../../engine/instance.js';
import { FIRST_ADDRESS } from '../../engine/layout.js';
import { type Grid, transpose } from './grid.js';

/** The number format that products are computed in. */
export type Precision = 'float32' | 'float64';

/** C += A · B, see assembly/products/product.ts: three addresses, then rows, steps and columns. */
type Product = (
  a: number,
  b: number,
  c: number,
  rows: number,
  inner: number,
  columns: number,
  isGram: boolean,
) => void;

/** Panels of a factor: two addresses, then lines and steps. */
type Pack = (source: number, target: number, lines: number, inner: number) => void;

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
  return instance.exportsOf<ProductKernels>(PRODUCTS)!;
}

/** Rows and columns of a block of the result at most, and bytes of a line of its factors: they stay in the second-level cache. */
const BLOCK = 512;
const LINE = 1024;

/** Bytes of one step of a panel, and of a vector, see assembly/product.ts. */
const STEP = 32;
const VECTOR = 16;

/** Lines of a panel of float32, which those of float64 divide. */
const LINES = STEP / 4;

/** Below so many multiplications copying costs more than it gains. */
const FEW = 512;

/** Sums of products of float32 are trusted if one of them is larger: float32 ends 2^59 below. */
const LEAST = 2 ** -90;

/** Rows of a factor are taken to float32 if one of their numbers is larger: full precision ends 2^63 below. */
const LEAST_FACTOR = 2 ** -63;

/** One block of a · b: so many rows from `row` on and columns from `column` on. */
interface Block {
  readonly a: Grid;
  /** The transpose of b, whose rows are columns of the result. */
  readonly b: Grid;
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
  /** Whether it lies on the diagonal of a · aᵀ, and only what is above that is wanted. */
  readonly isGram: boolean;
}

/** Takes what stands in a row of the product from a column on: so many sums, which start at `from`. */
export type TakeSums = (
  row: number,
  column: number,
  sums: Float64Array,
  from: number,
  length: number,
) => void;

/**
 * result += a · b; `false`, and nothing done, where there is no kernel for it. Where b is the transpose of a, half of the
 * work is saved, and what was in the result has to be symmetric.
 */
export function addProductFast(
  result: Float64Array,
  a: Grid,
  b: Grid,
  precision: Precision,
): boolean {
  const turned = transpose(b);
  const isGram =
    a.data === turned.data && a.rows === turned.rows && a.rowStride === turned.rowStride;
  const done = multiplyFast(a, b, precision, isGram, (row, column, sums, from, length) => {
    const to = row * b.columns + column;
    for (let j = 0; j < length; j++) result[to + j]! += sums[from + j]!;
  });
  if (done && isGram) mirror(result, a.rows);
  return done;
}

/**
 * a · b, a part of a row at a time; `false`, and nothing done, where there is no kernel for it.
 *
 * @param isGram - whether the product is symmetric, and what is below its diagonal may be left out
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

/** Makes a square matrix symmetric by what is above its diagonal. */
function mirror(square: Float64Array, rows: number): void {
  for (let i = 1; i < rows; i++) {
    for (let j = 0; j < i; j++) square[i * rows + j] = square[j * rows + i]!;
  }
}

/** The block by products of float32; `undefined` where some of them were too large for it, or all may be too small. */
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

/** The block, by products of numbers of so many bytes; rows and columns are as many as whole panels of float32 have. */
function multiply(
  instance: Instance,
  size: 4 | 8,
  { a, b, row, rows, column, columns, isGram }: Block,
) {
  const depth = Math.min(LINE / size, whole(a.columns, VECTOR / size));
  const [height, width] = [whole(rows, LINES), whole(columns, LINES)];
  const aBytes = height * depth * size;
  const bBytes = width * depth * size;
  const sumBytes = 8 * height * width;
  const aStart = FIRST_ADDRESS;
  const bStart = isGram ? aStart : aStart + aBytes;
  const staged = aStart + aBytes + bBytes;
  const sumStart = staged + Math.max(aBytes, bBytes);
  instance.reach(sumStart + sumBytes);
  const sums = instance.float64.subarray(sumStart / 8, (sumStart + sumBytes) / 8);
  sums.fill(0);
  const kernels = kernelsOf(instance);
  const product = size === 4 ? kernels.product32 : kernels.product64;
  for (let k = 0; k < a.columns; k += depth) {
    const inner = Math.min(depth, a.columns - k);
    pack(instance, size, a, row, rows, k, inner, staged, aStart);
    if (!isGram) pack(instance, size, b, column, columns, k, inner, staged, bStart);
    product(aStart, bStart, sumStart, height, whole(inner, VECTOR / size), width, isGram);
  }
  return sums;
}

/** Makes panels of so many rows and columns of a grid. */
function pack(
  instance: Instance,
  size: 4 | 8,
  { data, rowStride, columnStride }: Grid,
  row: number,
  rows: number,
  column: number,
  columns: number,
  staged: number,
  target: number,
): void {
  const memory = instance.floats(size);
  const kernels = kernelsOf(instance);
  const lines = whole(rows, LINES);
  const steps = whole(columns, VECTOR / size);
  const from = row * rowStride + column * columnStride;
  if (columnStride === 1) {
    stage(memory, staged / size, lines, steps, data, from, rows, columns, rowStride);
    (size === 4 ? kernels.packRows32 : kernels.packRows64)(staged, target, lines, steps);
  } else {
    stage(memory, staged / size, steps, lines, data, from, columns, rows, columnStride);
    (size === 4 ? kernels.packColumns32 : kernels.packColumns64)(staged, target, lines, steps);
  }
}

/** Copies so many rows, each to a whole one, with zeros beside and below them. */
function stage(
  memory: FloatArray,
  to: number,
  wholeRows: number,
  wholeColumns: number,
  data: FloatArray,
  from: number,
  rows: number,
  columns: number,
  stride: number,
): void {
  const isWhole = columns === wholeColumns;
  if (!isWhole || rows < wholeRows) memory.fill(0, to, to + wholeRows * wholeColumns);
  if (isWhole && stride === columns) {
    memory.set(data.subarray(from, from + rows * columns), to);
    return;
  }
  for (let row = 0; row < rows; row++) {
    const start = from + row * stride;
    memory.set(data.subarray(start, start + columns), to + row * wholeColumns);
  }
}

/** The next multiple. */
function whole(length: number, unit: number): number {
  return Math.ceil(length / unit) * unit;
}
