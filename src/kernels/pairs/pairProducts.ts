// Products of the rows of the student with each other, and of those of the teacher, such that their
// difference is precise.

import { type Grid, grid } from '../products/grid.js';
import { dotsOf, lessRow } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { differencesFast } from '../products/rowsSimd.js';
import { type Products, productsOf, productsWith, ROUNDING } from './gram.js';

/**
 * Rows to multiply: those of a source, or the source less a reference row, which may be rounded to
 * float32.
 */
export interface Side {
  readonly rows: Grid;
  readonly squares: Float64Array;
  /** The rows as they were given, if these are less a reference. */
  readonly source?: Grid;
  readonly reference?: Float64Array;
}

export function sideOf(rows: Grid): Side {
  return { rows, squares: dotsOf(rows, rows) };
}

/** Number of rows whose mean is a point between all rows. */
const FEW = 16;

/**
 * The rows less a point between them, and the squares of their lengths: rows that are equal stay
 * equal.
 */
export function lessReference(source: Grid, precision: Precision): Side {
  const { data, rows, columns } = source;
  const reference = new Float64Array(columns);
  const step = Math.ceil(rows / FEW);
  const count = Math.ceil(rows / step);
  for (let i = 0; i < rows; i += step) {
    for (let j = 0; j < columns; j++) reference[j]! += data[i * columns + j]! / count;
  }
  return { ...sideOf(lessRow(source, reference, precision)), source, reference };
}

/**
 * From the diagonal on to the right, the products of the student's rows are
 * `excess + base · teacher`.
 */
export interface PairProducts {
  readonly excess: Products;
  readonly teacher: Products;
  /**
   * 0: the excess is the products of the student. 1: it is how they differ, precise where they
   * differ little.
   */
  readonly base: 0 | 1;
}

export function pairProducts(own: Side, other: Side, precision: Precision): PairProducts {
  const teacher = productsOf(other, precision);
  const isNear = precision === 'float32' && distanceOf(own, other) < NEAR;
  const difference = isNear ? differenceOf(own, other) : undefined;
  return { excess: difference ?? productsOf(own, precision), teacher, base: difference ? 1 : 0 };
}

/**
 * Up to this distance, relative to the length of the shorter side, the product of the difference is
 * taken. It takes half the time of a Gram matrix longer, but less than doubles, which rows that all
 * point one way need from here on. Rows that have nothing to do with each other are at √2, or below
 * if they do not add up to 0.
 */
const NEAR = 1.1;

/** Number of rows that are enough to tell how near all are. */
const SAMPLE = 16;

/**
 * How far the rows are from those of the teacher, relative to the shorter; Infinity where the
 * columns differ.
 */
function distanceOf(own: Side, other: Side): number {
  const { data: x, rows, columns } = own.rows;
  const { data: y } = other.rows;
  if (columns !== other.rows.columns) return Infinity;
  let distance = 0;
  let [size, otherSize] = [0, 0];
  for (let i = 0; i < rows; i += Math.ceil(rows / SAMPLE)) {
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
 * s sᵀ − t tᵀ = δ mᵀ + m δᵀ with δ = s − t and m = (s + t) / 2: the errors are relative to δ.
 * Undefined where there is no memory for it.
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
  const b = own.squares.map((square, i) => (square + other.squares[i]!) / 2); // at most ‖δ‖² / 4 too large
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
 * Side of the squares in which a matrix is added to its transpose: the rows of two of them stay in
 * the L1 cache.
 */
const SIDE = 16;

/** square += squareᵀ, from the diagonal on to the right. */
export function addTransposed(square: Float64Array, rows: number): void {
  for (let top = 0; top < rows; top += SIDE) {
    const bottom = Math.min(top + SIDE, rows);
    for (let left = top; left < rows; left += SIDE) {
      const right = Math.min(left + SIDE, rows);
      for (let i = top; i < bottom; i++) {
        for (let j = Math.max(left, i); j < right; j++) {
          square[i * rows + j]! += square[j * rows + i]!;
        }
      }
    }
  }
}
