import { type Grid, grid, transpose } from '../products/grid.js';
import { addProduct, precisionOf } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';

/** x · xᵀ, the products of all rows with each other: in a new array, or written over one. */
export function gram(
  x: Grid,
  result: Float64Array = new Float64Array(x.rows * x.rows),
  precision: Precision = 'float64',
): Float64Array {
  result.fill(0);
  addProduct(result, x, transpose(x), precision);
  return result;
}

/** Products of rows with each other, and how good they are. */
export interface Products {
  /** x · xᵀ */
  readonly products: Float64Array;
  /** How far off they are, as a share of the lengths of both rows: the root of the mean square. */
  readonly error: number;
}

/** x · xᵀ in doubles. */
export function fineProducts(x: Grid): Products {
  return { products: gram(x), error: 0 };
}

/** x · xᵀ to the precision of x: in less time, if that is float32. */
export function quickProducts(x: Grid): Products {
  if (precisionOf(x) === 'float64') return fineProducts(x);
  const products = gram(x, undefined, 'float32');
  return { products, error: errorOf(products, x) };
}

/** So many rows are enough to say how good products are. */
const SAMPLE = 32;

/** By the squares of some rows: since no terms of them cancel, they are further off than other products, two to five times. */
function errorOf(products: Float64Array, x: Grid): number {
  const { rows } = x;
  const step = Math.ceil(rows / SAMPLE);
  let sum = 0;
  let count = 0;
  for (let i = 0; i < rows; i += step) {
    const square = squareOf(x, i);
    const share = square === 0 ? 0 : products[i * rows + i]! / square - 1;
    sum += share * share;
    count++;
  }
  return Math.sqrt(sum / count);
}

/** ‖x‖² of a row, in doubles. */
function squareOf({ data, columns }: Grid, row: number): number {
  const start = row * columns;
  const even = columns - (columns % 2);
  let sum = even < columns ? data[start + even]! ** 2 : 0;
  let other = 0; // two sums at a time: one addition need not wait for the other
  for (let k = start; k < start + even; k += 2) {
    sum += data[k]! * data[k]!;
    other += data[k + 1]! * data[k + 1]!;
  }
  return sum + other;
}

/**
 * What the error of products may do to differences, as a share of these: that of a gradient then is of that order, since
 * it adds up as many of them.
 */
export const TOLERANCE = 1e-6;

/**
 * The adjoint of {@link gram}: derivative += (slope + slopeᵀ) · x, for the slope of a loss by each entry of x · xᵀ; to the
 * precision of x, since that is what a gradient is rounded to. Uses up the slope.
 */
export function addGramAdjoint(slope: Float64Array, x: Grid, derivative: Float64Array): void {
  addProduct(derivative, bothWays(slope, x.rows), x, precisionOf(x));
}

/** slope + slopeᵀ, in place */
export function bothWays(slope: Float64Array, rows: number): Grid {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      const sum = slope[i * rows + j]! + slope[j * rows + i]!;
      slope[i * rows + j] = sum;
      slope[j * rows + i] = sum;
    }
  }
  return grid(slope, rows, rows);
}
