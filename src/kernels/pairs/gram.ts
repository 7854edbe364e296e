// Products of the rows of one matrix, or of two matrices, with a measure of their precision.

import { selectedKernel } from '../../engine/choice.js';
import { type Grid, grid } from '../products/grid.js';
import { addProduct, dotsOf, precisionOf, setProducts } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';

/**
 * Returns the Gram matrix x · xᵀ in doubles, in `result` or in a new array.
 */
export function gram(
  x: Grid,
  result: Float64Array = new Float64Array(x.rows * x.rows),
): Float64Array {
  setProducts(result, x, x, 'float64');
  mirror(result, x.rows);
  return result;
}

/** Products of rows with their precision. Only the elements on and above the diagonal are set. */
export interface Products {
  /** In the shape [rows, rows]. */
  readonly products: Float64Array;
  /** The mean squared error of product (i, j) is variance · (aᵢ bⱼ + bᵢ aⱼ). */
  readonly variance: number;
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/** Rows with their squared lengths. */
interface Side {
  readonly rows: Grid;
  readonly squares: Float64Array;
}

/** Largest relative error of rounding to float32. */
export const ROUNDING: number = 2 ** -24;

/**
 * Returns x · xᵀ. The diagonal holds the squared lengths in doubles: of all float32 sums, sums of
 * squares are the least precise, because their rounding errors do not cancel.
 */
export function productsOf(
  x: Side & { readonly reference?: unknown },
  precision: Precision,
): Products {
  const { rows, columns } = x.rows;
  const { squares } = x;
  const products = new Float64Array(rows * rows);
  setProducts(products, x.rows, x.rows, precision);
  if (precision === 'float64') return { products, variance: 0, a: squares, b: squares };
  for (let i = 0; i < rows; i++) products[i * rows + i] = squares[i]!;
  const rounding = x.reference ? ROUNDING / Math.sqrt(columns) : 0;
  const error =
    rounding + errorOf({ products, xSquares: squares, ySquares: squares }, x.rows, x.rows);
  return { products, variance: error ** 2 / 2, a: squares, b: squares };
}

/**
 * Returns x · yᵀ, with a diagonal in doubles, and the root mean square of the errors off the
 * diagonal, relative to the lengths of both rows. Both matrices have the same number of rows.
 */
export function productsWith(
  x: Side,
  y: Side,
  precision: Precision,
  dots?: Float64Array,
): { readonly products: Float64Array; readonly error: number } {
  const { rows } = x.rows;
  const products = new Float64Array(rows * rows);
  setProducts(products, x.rows, y.rows, precision);
  if (precision === 'float64') return { products, error: 0 };
  const diagonal = dots ?? dotsOf(x.rows, y.rows);
  for (let i = 0; i < rows; i++) products[i * rows + i] = diagonal[i]!;
  const measured = { products, xSquares: x.squares, ySquares: y.squares };
  return { products, error: errorOf(measured, x.rows, y.rows) };
}

/** Returns, for each row of products, the sum of the mean squared errors. */
export function rowVariances({ variance, a, b }: Products): Float64Array {
  const [left, right] = [sumOf(a), sumOf(b)];
  return a.map((value, i) => variance * (value * right + b[i]! * left));
}

export function sumOf(values: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k]!;
  return sum;
}

/**
 * Largest accepted error that products cause in the terms of a loss: root mean square of the errors
 * over root mean square of the terms. The gradient, a sum of many terms, then has an error of at
 * most 1e-6 of its largest element, unless its terms cancel.
 */
export const TOLERANCE = 5e-7;

/**
 * Least number of rows and of columns for products in float32. The errors of fewer products do not
 * average out, the terms of a gradient of fewer rows cancel more often, and doubles cost little
 * there.
 */
const MIN_FLOAT32_SIZE = 32;

/**
 * Returns the precision of the products of a loss. It is float32 for float32 matrices with many
 * rows and columns, if a WebAssembly kernel computes.
 */
export function precisionFor(x: Grid): Precision {
  const isWorthIt =
    Math.min(x.rows, x.columns) >= MIN_FLOAT32_SIZE && selectedKernel() !== 'scalar';
  return isWorthIt ? precisionOf(x) : 'float64';
}

/**
 * Evaluates a loss with products in the precision of {@link precisionFor}. If `evaluate` returns
 * undefined for float32, because the error of the products is too large, it is called again for
 * float64, for which it must return a result.
 */
export function withProducts<Result>(
  x: Grid,
  evaluate: (precision: Precision) => Result | undefined,
): Result {
  return (precisionFor(x) === 'float32' && evaluate('float32')) || evaluate('float64')!;
}

/** Number of products whose error is measured, as a sample of all. */
const SAMPLE_SIZE = 32;

/**
 * Returns the root mean square of the errors of some products above the diagonal, relative to the
 * lengths of both rows.
 */
function errorOf(
  { products, xSquares, ySquares }: Measured,
  { data: x, rows, columns }: Grid,
  { data: y }: Grid,
): number {
  let sum = 0;
  for (let k = 0; k < SAMPLE_SIZE; k++) {
    const i = (k * 7) % (rows - 1);
    const j = i + 1 + ((k * 17) % (rows - 1 - i));
    // Two sums, because an addition has to wait for the last one to its sum.
    let [even, odd] = [0, 0];
    for (let c = 0; c < columns - 1; c += 2) {
      even += x[i * columns + c]! * y[j * columns + c]!;
      odd += x[i * columns + c + 1]! * y[j * columns + c + 1]!;
    }
    if (columns % 2 === 1) even += x[(i + 1) * columns - 1]! * y[(j + 1) * columns - 1]!;
    const size = xSquares[i]! * ySquares[j]!;
    sum += size === 0 ? 0 : (products[i * rows + j]! - (even + odd)) ** 2 / size;
  }
  return Math.sqrt(sum / SAMPLE_SIZE);
}

/** Products, with the squared lengths of the rows of both sides. */
interface Measured {
  readonly products: Float64Array;
  readonly xSquares: Float64Array;
  readonly ySquares: Float64Array;
}

/**
 * Rows and columns of the blocks in which a matrix is mirrored: two blocks stay in the L1 cache.
 */
const BLOCK_SIZE = 16;

/** Copies the elements above the diagonal of a square matrix below the diagonal. */
export function mirror(square: Float64Array, rows: number): void {
  for (let top = 0; top < rows; top += BLOCK_SIZE) {
    const bottom = Math.min(top + BLOCK_SIZE, rows);
    for (let left = top; left < rows; left += BLOCK_SIZE) {
      const right = Math.min(left + BLOCK_SIZE, rows);
      for (let i = top; i < bottom; i++) {
        for (let j = Math.max(left, i + 1); j < right; j++) {
          square[j * rows + i] = square[i * rows + j]!;
        }
      }
    }
  }
}

/**
 * Adjoint of {@link gram}: derivative += (slope + slopeᵀ) · x, for the slope d(loss) / d(x · xᵀ),
 * which is overwritten. The product has the precision of x, to which the gradient is rounded
 * anyway.
 */
export function addGramAdjoint(slope: Float64Array, x: Grid, derivative: Float64Array): void {
  const { rows } = x;
  for (let i = 0; i < rows; i++) {
    for (let j = i; j < rows; j++) slope[i * rows + j]! += slope[j * rows + i]!;
  }
  mirror(slope, rows);
  addProduct(derivative, grid(slope, rows, rows), x, precisionOf(x));
}
