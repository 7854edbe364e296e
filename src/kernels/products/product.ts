// Products of matrices.

import { put, type Target } from '../../engine/target.js';
import { type Grid, grid, transpose } from './grid.js';
import { putInPlace } from './productInPlace.js';
import { multiplyFast, type Precision } from './productSimd.js';
import { addRowFast, dotsFast, subtractFast, toSingles } from './rowsSimd.js';

/** The precision in which a matrix is stored. */
export function precisionOf({ data }: Grid): Precision {
  return data.BYTES_PER_ELEMENT === 4 ? 'float32' : 'float64';
}

/**
 * result += a · b, [a.rows × b.columns], in doubles; or, where a kernel computes and the numbers
 * are not extreme, in runs of float32 products, of which every 256 are summed in doubles: off by
 * some 3e-7 of Σ |a · b|, and by 2e-6 at most, where the first of a run is so large that all others
 * are rounded away. Float32 is twice as fast.
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
 * Writes x · yᵀ, the products of all rows with each other; of x with itself only from the diagonal
 * on to the right, what is below stays as it was. Precision as of {@link addProduct}.
 */
export function setProducts(result: Float64Array, x: Grid, y: Grid, precision: Precision): void {
  const isGram = x === y;
  const turned = transpose(y);
  const done = multiplyFast(x, turned, precision, isGram, (row, column, sums, from, length) => {
    const to = row * y.rows + column;
    if (length > FEW) result.set(sums.subarray(from, from + length), to);
    else for (let j = 0; j < length; j++) result[to + j] = sums[from + j]!;
  });
  if (done) return;
  result.fill(0);
  addByRows(result, x, turned, isGram);
}

/** x · y of each row, in doubles; rows of doubles may overflow. */
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

/** The rows less a reference; rows that are equal stay equal. */
export function lessRow(x: Grid, reference: Float64Array, precision: Precision): Grid {
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
const FEW = 32;

/** result += a · b; of a Gram matrix, what is below the diagonal is left out. */
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
 * A derivative as a product that has yet to be computed, a · b, to which rows of another matrix may
 * be added.
 */
export interface Derivative {
  readonly a: Grid;
  readonly b: Grid;
  /** No element of b is beyond ±largest. */
  readonly largest: number;
  readonly precision: Precision;
  readonly own?: OwnRows;
}

/**
 * A loss of rows together, with its derivative by the student's rows where that is wanted and not
 * 0.
 */
export interface PairLoss {
  readonly loss: number;
  readonly derivative?: Derivative | undefined;
}

/** For row i of a derivative, factors[i] times row i. */
export interface OwnRows {
  readonly factors: Float64Array;
  readonly rows: Grid;
  /** No element of the rows is beyond ±largest. */
  readonly largest: number;
}

/** What no element of a derivative is beyond. */
export function boundOf({ a, largest, own }: Derivative): number {
  let most = 0;
  for (let i = 0; i < a.rows; i++) {
    let sum = 0;
    for (let k = i * a.columns; k < (i + 1) * a.columns; k++) sum += Math.abs(a.data[k]!);
    const bound = sum * largest + (own ? Math.abs(own.factors[i]!) * own.largest : 0);
    most = Math.max(most, bound); // a NaN stays
  }
  return most;
}

/**
 * Puts the rows of a derivative into these rows of the target, which ascend, straight from the
 * kernel that multiplies.
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
    const part = sums.subarray(from, from + 4 * Math.ceil(length / 4)); // rows of sums are whole panels
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

/** The elements of a derivative, row after row. */
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

/** Adds a part of a row to sums that a kernel left. */
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
