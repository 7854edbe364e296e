// Gram matrices of student and teacher, whose difference is precise also if both are nearly equal.

import { type Grid, grid } from '../products/grid.js';
import { dotsOf, subtractRow } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { differencesFast } from '../products/rowsSimd.js';
import { type Products, productsOf, productsWith, ROUNDING } from './gram.js';

/**
 * Rows to multiply: the given rows, or the given rows less a reference row, which may be rounded to
 * float32.
 */
export interface Side {
  readonly rows: Grid;
  /** Squared length of each row. */
  readonly squares: Float64Array;
  /** The given rows, if a reference row was subtracted. */
  readonly source?: Grid;
  readonly reference?: Float64Array;
}

export function sideOf(rows: Grid): Side {
  return { rows, squares: dotsOf(rows, rows) };
}

/** Number of rows whose mean is the reference row: a point between all rows. */
const REFERENCE_ROWS = 16;

/**
 * Subtracts a reference row, a point between the rows, from all rows. Equal rows stay equal.
 */
export function subtractReference(source: Grid, precision: Precision): Side {
  const { data, rows, columns } = source;
  const reference = new Float64Array(columns);
  const step = Math.ceil(rows / REFERENCE_ROWS);
  const count = Math.ceil(rows / step);
  for (let i = 0; i < rows; i += step) {
    for (let j = 0; j < columns; j++) reference[j]! += data[i * columns + j]! / count;
  }
  return { ...sideOf(subtractRow(source, reference, precision)), source, reference };
}

/**
 * Gram matrices of both sides. The student's products are `excess + base · teacher`; only the
 * elements on and above the diagonal are set.
 */
export interface PairProducts {
  readonly excess: Products;
  readonly teacher: Products;
  /**
   * 0 if `excess` holds the student's products. 1 if it holds student's − teacher's products, which
   * are precise also if the difference is small.
   */
  readonly base: 0 | 1;
}

/** Computes the Gram matrices of both sides. */
export function pairProducts(own: Side, other: Side, precision: Precision): PairProducts {
  const teacher = productsOf(other, precision);
  const isNear = precision === 'float32' && distanceOf(own, other) < NEAR;
  const difference = isNear ? differenceOf(own, other) : undefined;
  return { excess: difference ?? productsOf(own, precision), teacher, base: difference ? 1 : 0 };
}

/**
 * Distance of both sides, relative to the length of the shorter side, up to which the difference of
 * the Gram matrices is computed directly. This takes 1.5 times as long as a Gram matrix, but less
 * than the doubles that rows with a common direction would otherwise need. Independent rows have a
 * distance of √2, or less if their mean is not 0.
 */
const NEAR = 1.1;

/** Number of rows by which the distance of both sides is measured. */
const SAMPLE_ROWS = 16;

/**
 * Returns the distance of the student's rows from the teacher's, relative to the length of the
 * shorter side; Infinity if the numbers of columns differ.
 */
function distanceOf(own: Side, other: Side): number {
  const { data: x, rows, columns } = own.rows;
  const { data: y } = other.rows;
  if (columns !== other.rows.columns) return Infinity;
  let distance = 0;
  let [size, otherSize] = [0, 0];
  for (let i = 0; i < rows; i += Math.ceil(rows / SAMPLE_ROWS)) {
    for (let k = i * columns; k < (i + 1) * columns; k++) {
      const difference = x[k]! - y[k]!;
      distance += difference * difference;
      size += x[k]! * x[k]!;
      otherSize += y[k]! * y[k]!;
    }
  }
  return Math.sqrt(distance / (Math.min(size, otherSize) || 1));
}

/**
 * Computes s sᵀ − t tᵀ = δ mᵀ + m δᵀ with δ = s − t and m = (s + t) / 2, so that the errors are
 * relative to δ. Undefined if the engine has no memory for it.
 */
function differenceOf(own: Side, other: Side): Products | undefined {
  const { rows, columns } = own.rows;
  const r = own.reference ?? new Float64Array(columns);
  const q = other.reference ?? r;
  const shift = r.map((value, j) => value - q[j]!);
  const center = r.map((value, j) => (value + q[j]!) / 2);
  const parts = differencesFast(own.source ?? own.rows, other.source ?? other.rows, shift, center);
  if (!parts) return undefined;
  const { differences, middles, dots, squares: a } = parts;
  // An upper bound of ‖m‖², by at most ‖δ‖² / 4.
  const b = own.squares.map((square, i) => (square + other.squares[i]!) / 2);
  const difference = { rows: grid(differences, rows, columns), squares: a };
  const middle = { rows: grid(middles, rows, columns), squares: b };
  if (!a.some((square) => square > 0)) {
    return { products: new Float64Array(rows * rows), variance: 0, a, b };
  }
  const { products, error } = productsWith(difference, middle, 'float32', dots);
  addTransposed(products, rows);
  return { products, variance: (error + ROUNDING / Math.sqrt(columns)) ** 2, a, b };
}

/**
 * Rows and columns of the blocks in which a matrix is added to its transpose: two blocks stay in
 * the L1 cache.
 */
const BLOCK_SIZE = 16;

/** square += squareᵀ, for the elements on and above the diagonal. */
export function addTransposed(square: Float64Array, rows: number): void {
  for (let top = 0; top < rows; top += BLOCK_SIZE) {
    const bottom = Math.min(top + BLOCK_SIZE, rows);
    for (let left = top; left < rows; left += BLOCK_SIZE) {
      const right = Math.min(left + BLOCK_SIZE, rows);
      for (let i = top; i < bottom; i++) {
        for (let j = Math.max(left, i); j < right; j++) {
          square[i * rows + j]! += square[j * rows + i]!;
        }
      }
    }
  }
}
