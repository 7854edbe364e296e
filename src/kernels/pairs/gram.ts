// Products of the rows of a matrix with each other, or with those of another, and how precise they
// are.

import { selectedKernel } from '../../engine/choice.js';
import { type Grid, grid } from '../products/grid.js';
import { addProduct, dotsOf, precisionOf, setProducts } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';

/**
 * x · xᵀ, the products of all rows with each other, in doubles: in a new array, or written over
 * one.
 */
export function gram(
  x: Grid,
  result: Float64Array = new Float64Array(x.rows * x.rows),
): Float64Array {
  setProducts(result, x, x, 'float64');
  mirror(result, x.rows);
  return result;
}

/** Products of rows, from the diagonal on to the right, and how precise they are. */
export interface Products {
  /** [rows][rows] */
  readonly products: Float64Array;
  /** The mean square of the error of product (i, j) is variance · (aᵢ bⱼ + bᵢ aⱼ). */
  readonly variance: number;
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/** Rows, and the squares of their lengths. */
interface Side {
  readonly rows: Grid;
  readonly squares: Float64Array;
}

/** Largest error, relative to it, of a number that is rounded to float32. */
export const ROUNDING: number = 2 ** -24;

/**
 * x · xᵀ, with the squares of lengths, in doubles, as its diagonal: of float32 sums those of
 * squares, in which nothing cancels, are the least precise.
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
 * x · yᵀ for as many rows of either side, the diagonal in doubles, and the root mean square of the
 * errors off the diagonal, relative to the lengths of both rows.
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

/** For each row of products, the sum of the mean squares of their errors. */
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
 * Largest error that products may cause in what a loss is made of, relative to it, as root mean
 * squares of both: the gradient, a sum of many of these, then is good to 1e-6 of its largest entry,
 * unless it cancels.
 */
export const TOLERANCE = 5e-7;

/**
 * Number of rows and of columns from which on float32 is worth its errors. Errors of fewer products
 * do not average out, and gradients of fewer rows cancel more often; doubles cost little there.
 */
const MANY = 32;

/**
 * The precision for the products of a loss: float32 only for many such rows, and where a kernel
 * computes.
 */
export function precisionFor(x: Grid): Precision {
  const isWorthIt = Math.min(x.rows, x.columns) >= MANY && selectedKernel() !== 'scalar';
  return isWorthIt ? precisionOf(x) : 'float64';
}

/**
 * Evaluates a loss with float32 products where {@link precisionFor} its rows is float32, and once
 * more in doubles where it returns `undefined`, because the error of the products would show. With
 * doubles, it must not return `undefined`.
 */
export function withProducts<Result>(
  x: Grid,
  evaluate: (precision: Precision) => Result | undefined,
): Result {
  return (precisionFor(x) === 'float32' && evaluate('float32')) || evaluate('float64')!;
}

/** Number of products that are enough to tell how precise all are. */
const SAMPLE = 32;

/**
 * Root mean square of the errors of some products right of the diagonal, relative to the lengths of
 * both rows.
 */
function errorOf(
  { products, xSquares, ySquares }: Measured,
  { data: x, rows, columns }: Grid,
  { data: y }: Grid,
): number {
  let sum = 0;
  for (let k = 0; k < SAMPLE; k++) {
    const i = (k * 7) % (rows - 1);
    const j = i + 1 + ((k * 17) % (rows - 1 - i));
    let [even, odd] = [0, 0]; // two sums at a time: one addition need not wait for the other
    for (let c = 0; c < columns - 1; c += 2) {
      even += x[i * columns + c]! * y[j * columns + c]!;
      odd += x[i * columns + c + 1]! * y[j * columns + c + 1]!;
    }
    if (columns % 2 === 1) even += x[(i + 1) * columns - 1]! * y[(j + 1) * columns - 1]!;
    const size = xSquares[i]! * ySquares[j]!;
    sum += size === 0 ? 0 : (products[i * rows + j]! - (even + odd)) ** 2 / size;
  }
  return Math.sqrt(sum / SAMPLE);
}

/** Products, and the squares of the lengths of the rows of both sides. */
interface Measured {
  readonly products: Float64Array;
  readonly xSquares: Float64Array;
  readonly ySquares: Float64Array;
}

/**
 * Side of the squares in which a matrix is mirrored: the rows of two of them stay in the L1 cache.
 */
const SIDE = 16;

/** Makes a square matrix symmetric by what is above its diagonal. */
export function mirror(square: Float64Array, rows: number): void {
  for (let top = 0; top < rows; top += SIDE) {
    const bottom = Math.min(top + SIDE, rows);
    for (let left = top; left < rows; left += SIDE) {
      const right = Math.min(left + SIDE, rows);
      for (let i = top; i < bottom; i++) {
        for (let j = Math.max(left, i + 1); j < right; j++) {
          square[j * rows + i] = square[i * rows + j]!;
        }
      }
    }
  }
}

/**
 * The adjoint of {@link gram}: derivative += (slope + slopeᵀ) · x, for the slope of a loss by each
 * entry of x · xᵀ; in the precision of x, since that is what a gradient is rounded to. Overwrites
 * the slope.
 */
export function addGramAdjoint(slope: Float64Array, x: Grid, derivative: Float64Array): void {
  const { rows } = x;
  for (let i = 0; i < rows; i++) {
    for (let j = i; j < rows; j++) slope[i * rows + j]! += slope[j * rows + i]!;
  }
  mirror(slope, rows);
  addProduct(derivative, grid(slope, rows, rows), x, precisionOf(x));
}
