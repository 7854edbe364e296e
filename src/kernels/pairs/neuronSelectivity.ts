// Squared maximum mean discrepancy of two sets of vectors, for the kernel (x · y)².

import { type Grid, grid, transpose } from '../products/grid.js';
import { addProduct } from '../products/product.js';
import { gram } from './gram.js';

/**
 * Returns the discrepancy of the rows of x and the rows of y, and writes its derivative with
 * respect to x to `derivative`, if it is given.
 */
export type Discrepancy = (x: Grid, y: Grid, derivative: Float64Array | undefined) => number;

/**
 * Returns whichever of two equivalent forms is cheaper for m and n rows with this number of
 * columns.
 */
export function discrepancy(m: number, n: number, columns: number): Discrepancy {
  return columns <= m + n ? ofMoments(m, n, columns) : ofProducts(m, n, columns);
}

/** ‖xᵀx / m − yᵀy / n‖², which is never negative. */
function ofMoments(m: number, n: number, columns: number): Discrepancy {
  const own = new Float64Array(columns * columns);
  const other = new Float64Array(columns * columns);
  return (x, y, derivative) => {
    gram(transpose(x), own);
    gram(transpose(y), other);
    let sum = 0;
    for (let k = 0; k < own.length; k++) {
      const u = own[k]! / m - other[k]! / n;
      sum += u * u;
      own[k] = (4 * u) / m; // from here on the factor of x in the derivative
    }
    if (derivative) setProduct(derivative, x, grid(own, columns, columns));
    return sum;
  };
}

/** ‖xxᵀ‖² / m² − 2 ‖xyᵀ‖² / mn + ‖yyᵀ‖² / n² */
function ofProducts(m: number, n: number, columns: number): Discrepancy {
  const xx = new Float64Array(m * m);
  const xy = new Float64Array(m * n);
  const yy = new Float64Array(n * n);
  const pull = new Float64Array(m * columns);
  return (x, y, derivative) => {
    gram(x, xx);
    gram(y, yy);
    setProduct(xy, x, transpose(y));
    if (derivative) {
      setProduct(derivative, grid(xx, m, m), x);
      setProduct(pull, grid(xy, m, n), y);
      for (let k = 0; k < pull.length; k++) {
        derivative[k] = (4 / m) * (derivative[k]! / m - pull[k]! / n);
      }
    }
    return meanSquare(xx) - 2 * meanSquare(xy) + meanSquare(yy);
  };
}

function setProduct(result: Float64Array, a: Grid, b: Grid): void {
  result.fill(0);
  addProduct(result, a, b);
}

function meanSquare(values: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k]! * values[k]!;
  return sum / values.length;
}
