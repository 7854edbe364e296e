// Products of matrices, by WebAssembly kernels if one computes, otherwise in JavaScript.

import { put, type Target } from '../../engine/target.js';
import { type Grid, grid, transpose } from './grid.js';
import { putInPlace } from './productInPlace.js';
import { multiplyFast, type Precision } from './productSimd.js';
import { addRowFast, dotsFast, subtractFast, toSingles } from './rowsSimd.js';

/** Returns the precision in which a matrix is stored. */
export function precisionOf({ data }: Grid): Precision {
  return data.BYTES_PER_ELEMENT === 4 ? 'float32' : 'float64';
}

/**
 * result += a · b, in the shape [a.rows, b.columns].
 *
 * With the precision float32, if a WebAssembly kernel computes and the numbers are not extreme,
 * runs of 256 products are summed in float32 and the runs in doubles. The error is about 3e-7 of Σ
 * |a · b|, and at most 2e-6, if the first product of a run is so large that all others are rounded
 * away. Float32 is twice as fast as float64.
 */
export function addProduct(
  result: Float64Array,
  a: Grid,
  b: Grid,
  precision: Precision = 'float64',
): void {
  const done = multiplyFast(a, b, precision, false, (row, column, sums, from, length) => {
    const to = row * b.columns + column;
    for (let j = 0; j < length; j++) result[to + j]! += sums[from + j]!;
  });
  if (!done) addByRows(result, a, b, false);
}

/**
 * Writes x · yᵀ. If x and y are the same grid, only the elements on and above the diagonal are
 * written. The precision is that of {@link addProduct}.
 */
export function setProducts(result: Float64Array, x: Grid, y: Grid, precision: Precision): void {
  const isGram = x === y;
  const transposed = transpose(y);
  const done = multiplyFast(x, transposed, precision, isGram, (row, column, sums, from, length) => {
    const to = row * y.rows + column;
    if (length > MAX_LOOP_COPY) result.set(sums.subarray(from, from + length), to);
    else for (let j = 0; j < length; j++) result[to + j] = sums[from + j]!;
  });
  if (done) return;
  result.fill(0);
  addByRows(result, x, transposed, isGram);
}

/** Returns x · y of each row, in doubles. Products of float64 rows may overflow. */
export function dotsOf(x: Grid, y: Grid): Float64Array {
  const { rows, columns } = x;
  const dots = new Float64Array(rows);
  if (dotsFast(x, y, dots)) return dots;
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let k = i * columns; k < (i + 1) * columns; k++) sum += x.data[k]! * y.data[k]!;
    dots[i] = sum;
  }
  return dots;
}

/** Subtracts a reference row from each row. Equal rows stay equal. */
export function subtractRow(x: Grid, reference: Float64Array, precision: Precision): Grid {
  const { data, rows, columns } = x;
  const length = rows * columns;
  const result = precision === 'float32' ? new Float32Array(length) : new Float64Array(length);
  if (!(result instanceof Float32Array && subtractFast(x, reference, result))) {
    for (let start = 0; start < length; start += columns) {
      for (let j = 0; j < columns; j++) result[start + j] = data[start + j]! - reference[j]!;
    }
  }
  return grid(result, rows, columns);
}

/** Up to this number of elements, a loop copies faster than a call of `set`. */
const MAX_LOOP_COPY = 32;

/** result += a · b. Elements below the diagonal of a Gram matrix are left out. */
function addByRows(result: Float64Array, a: Grid, b: Grid, isGram: boolean): void {
  const { rows, columns: inner } = a;
  const { columns } = b;
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const value = a.data[i * a.rowStride + k * a.columnStride]!;
      const from = k * b.rowStride;
      for (let j = isGram ? i : 0; j < columns; j++) {
        result[i * columns + j]! += value * b.data[from + j * b.columnStride]!;
      }
    }
  }
}

/**
 * Derivative that is not computed yet: the product a · b, plus the scaled rows `own`.
 */
export interface Derivative {
  readonly a: Grid;
  readonly b: Grid;
  /** Every element of b is in ±largest. */
  readonly largest: number;
  readonly precision: Precision;
  readonly own?: OwnRows;
}

/**
 * Loss of all rows together. The derivative with respect to the student's rows is left out if it
 * was not asked for, or is 0.
 */
export interface PairLoss {
  readonly loss: number;
  readonly derivative?: Derivative | undefined;
}

/** Scaled rows: factors[i] × row i is added to row i of a derivative. */
export interface OwnRows {
  readonly factors: Float64Array;
  readonly rows: Grid;
  /** Every element of the rows is in ±largest. */
  readonly largest: number;
}

/** Returns a bound on the absolute value of the elements of a derivative. */
export function boundOf({ a, largest, own }: Derivative): number {
  let most = 0;
  for (let i = 0; i < a.rows; i++) {
    let sum = 0;
    for (let k = i * a.columns; k < (i + 1) * a.columns; k++) sum += Math.abs(a.data[k]!);
    const bound = sum * largest + (own ? Math.abs(own.factors[i]!) * own.largest : 0);
    most = Math.max(most, bound); // NaN for a NaN
  }
  return most;
}

/**
 * Computes a derivative and writes its rows to the rows `rows` of the target, which ascend. The
 * kernel's sums go to the target without a copy between.
 */
export function putProduct(
  target: Target,
  rows: readonly number[],
  derivative: Omit<Derivative, 'largest'>,
): void {
  const { a, b, precision, own } = derivative;
  const { data, scale, adds } = target;
  const { columns } = b;
  const first = rows[0] ?? 0;
  const isRun = (rows.at(-1) ?? 0) - first === rows.length - 1;
  if (!own && isRun && putInPlace(target, first, a, b)) return;
  const isSingle = data.BYTES_PER_ELEMENT === 4 && (!adds || scale === 1);
  const done = multiplyFast(a, b, precision, false, (row, column, sums, from, length) => {
    const to = rows[row]! * columns + column;
    const part = sums.subarray(from, from + 4 * Math.ceil(length / 4)); // rows of sums are padded
    if (own) addOwn(own, row, column, part, length);
    if (isSingle && adds) addRowFast(part, data.subarray(to, to + length), 1);
    if (isSingle) data.set(toSingles(part, scale).subarray(0, length), to);
    else if (adds) for (let j = 0; j < length; j++) data[to + j]! += scale * part[j]!;
    else for (let j = 0; j < length; j++) data[to + j] = scale * part[j]!;
  });
  if (done) return;
  const sums = valuesOf(derivative);
  for (const [i, row] of rows.entries()) {
    put(target, row * columns, sums.subarray(i * columns, (i + 1) * columns));
  }
}

/** Computes a derivative; returns its elements, row after row. */
export function valuesOf({ a, b, precision, own }: Omit<Derivative, 'largest'>): Float64Array {
  const { columns } = b;
  const result = new Float64Array(a.rows * columns);
  addProduct(result, a, b, precision);
  for (let i = 0; own && i < a.rows; i++) {
    const factor = own.factors[i]!;
    for (let k = i * columns; k < (i + 1) * columns; k++) result[k]! += factor * own.rows.data[k]!;
  }
  return result;
}

/** Adds a part of a scaled row to the sums of a kernel. */
function addOwn(
  { factors, rows }: OwnRows,
  row: number,
  column: number,
  sums: Float64Array,
  length: number,
): void {
  const { data, columns } = rows;
  const from = row * columns + column;
  const factor = factors[row]!;
  if (data.BYTES_PER_ELEMENT === 4) addRowFast(sums, data.subarray(from, from + length), factor);
  else for (let j = 0; j < length; j++) sums[j]! += factor * data[from + j]!;
}
