import { type Grid, grid, transpose } from './grid.js';
import { addProduct, precisionOf } from './product.js';

/** x · xᵀ, the products of all rows with each other, in doubles: in a new array, or written over one. */
export function gram(
  x: Grid,
  result: Float64Array = new Float64Array(x.rows * x.rows),
): Float64Array {
  result.fill(0);
  addProduct(result, x, transpose(x));
  return result;
}

/**
 * The adjoint of {@link gram}: derivative += (slope + slopeᵀ) · x, for the slope of a loss by each entry of x · xᵀ; to the
 * precision of x, since that is what a gradient is rounded to. Uses up the slope.
 */
export function addGramAdjoint(slope: Float64Array, x: Grid, derivative: Float64Array): void {
  const { rows } = x;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      const sum = slope[i * rows + j]! + slope[j * rows + i]!;
      slope[i * rows + j] = sum;
      slope[j * rows + i] = sum;
    }
  }
  addProduct(derivative, grid(slope, rows, rows), x, precisionOf(x));
}
