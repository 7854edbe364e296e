// Products of the rows of a matrix with each other, or with those of another, and how precise they are.

import { selectedKernel } from '../../engine/choice.js';
import { type Grid, grid, transpose } from '../products/grid.js';
import { addProduct, dotsOf, precisionOf, setGram } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';

/** x · xᵀ, the products of all rows with each other, in doubles: in a new array, or written over one. */
export function gram(
  x: Grid,
  result: Float64Array = new Float64Array(x.rows * x.rows),
): Float64Array {
  setGram(result, x, 'float64');
  mirror(result, x.rows);
  return result;
}

/** Products of rows, and how precise they are. */
export interface Products {
  /** [rows][rows]; where rows are those of one matrix, only from the diagonal on to the right. */
  readonly products: Float64Array;
  /** Root mean square of the errors off the diagonal, each relative to the lengths of both rows. */
  readonly error: number;
}

/**
 * x · xᵀ, from the diagonal on to the right.
 *
 * @param squares - the diagonal in doubles: float32 sums of squares, in which nothing cancels, are the least precise
 */
export function productsOf(x: Grid, precision: Precision, squares?: Float64Array): Products {
  const { rows } = x;
  const products = new Float64Array(rows * rows);
  setGram(products, x, precision);
  if (precision === 'float64') return { products, error: 0 };
  const diagonal = squares ?? dotsOf(x, x);
  for (let i = 0; i < rows; i++) products[i * rows + i] = diagonal[i]!;
  return { products, error: errorOf(products, x, x) };
}

/** x · yᵀ for as many rows of either side; those of rows of the same number in doubles. */
export function productsWith(x: Grid, y: Grid, precision: Precision): Products {
  const { rows } = x;
  const products = new Float64Array(rows * rows);
  addProduct(products, x, transpose(y), precision);
  if (precision === 'float64') return { products, error: 0 };
  const diagonal = dotsOf(x, y);
  for (let i = 0; i < rows; i++) products[i * rows + i] = diagonal[i]!;
  return { products, error: errorOf(products, x, y) };
}

/**
 * Largest error that products may cause in what a loss is made of, relative to it; the gradient, a sum of many of
 * these, then is about as precise.
 */
export const TOLERANCE = 1e-6;

/**
 * Number of rows and of columns from which on float32 is worth its errors. Errors of fewer products do not average out,
 * and gradients of fewer rows cancel more often; doubles cost little there.
 */
const MANY = 32;

/** The precision for the products of a loss: float32 only for many such rows, and where a kernel computes. */
export function precisionFor(x: Grid): Precision {
  const isWorthIt = Math.min(x.rows, x.columns) >= MANY && selectedKernel() !== 'scalar';
  return isWorthIt ? precisionOf(x) : 'float64';
}

/**
 * Evaluates a loss with float32 products where {@link precisionFor} its rows is float32, and once more in doubles where
 * it returns `undefined`, because the error of the products would show. With doubles, it must not return `undefined`.
 */
export function withProducts<Result>(
  x: Grid,
  evaluate: (precision: Precision) => Result | undefined,
): Result {
  return (precisionFor(x) === 'float32' && evaluate('float32')) || evaluate('float64')!;
}

/** Number of products that are enough to tell how precise all are. */
const SAMPLE = 64;

/** Root mean square of the errors of some products, relative to the lengths of both rows. */
function errorOf(products: Float64Array, x: Grid, y: Grid): number {
  const { rows } = x;
  let sum = 0;
  for (let k = 0; k < SAMPLE; k++) {
    const i = k % (rows - 1);
    const j = i + 1 + ((k * 17) % (rows - 1 - i)); // to the right of the diagonal
    const { product, size } = exactProduct(x, i, y, j);
    const share = size === 0 ? 0 : (products[i * rows + j]! - product) / size;
    sum += share * share;
  }
  return Math.sqrt(sum / SAMPLE);
}

/** The product of two rows in doubles, and that of their lengths. */
function exactProduct(x: Grid, i: number, y: Grid, j: number): { product: number; size: number } {
  const { columns } = x;
  let product = 0;
  let xSquare = 0;
  let ySquare = 0;
  for (let k = 0; k < columns; k++) {
    const a = x.data[i * columns + k]!;
    const b = y.data[j * columns + k]!;
    product += a * b;
    xSquare += a * a;
    ySquare += b * b;
  }
  return { product, size: Math.sqrt(xSquare) * Math.sqrt(ySquare) };
}

/** Side of the squares in which a matrix is mirrored: the rows of two of them stay in the L1 cache. */
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
 * The adjoint of {@link gram}: derivative += (slope + slopeᵀ) · x, for the slope of a loss by each entry of x · xᵀ; in the
 * precision of x, since that is what a gradient is rounded to. Overwrites the slope.
 */
export function addGramAdjoint(slope: Float64Array, x: Grid, derivative: Float64Array): void {
  const { rows } = x;
  for (let i = 0; i < rows; i++) {
    for (let j = i; j < rows; j++) slope[i * rows + j]! += slope[j * rows + i]!;
  }
  mirror(slope, rows);
  addProduct(derivative, grid(slope, rows, rows), x, precisionOf(x));
}
