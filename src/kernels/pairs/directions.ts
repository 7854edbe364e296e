// Directions of rows, each stored as a row and a factor. Products of directions are computed as
// products of the rows, then multiplied by the factors, so that no direction is rounded first.

import { type Grid, grid } from '../products/grid.js';
import { type Derivative, dotsOf } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { norm } from '../rows/distance.js';
import { precisionFor } from './gram.js';

/**
 * Rows x with factors f: f x is the direction x / (‖x‖ + floor), or 0 if ‖x‖ + floor is 0.
 */
export interface Directions {
  /**
   * The given rows for products in float32; otherwise copies of length 1, whose products do not
   * overflow.
   */
  readonly rows: Grid;
  readonly factors: Float64Array;
  /** ‖x‖ and ‖x‖² of each given row. */
  readonly norms: Float64Array;
  readonly squares: Float64Array;
  /** Divisor of each row, if the rows are copies. */
  readonly divisors: Float64Array | undefined;
  /** Every element of the rows is in ±largest. */
  readonly largest: number;
  /** Precision of the product that computes the derivative. */
  readonly precision: Precision;
}

/** Float32 holds products of two factors if the lengths of all rows are between 2^−30 and 2^30. */
const MAX_LENGTH = 2 ** 30;

/** Returns the directions of rows. */
export function directionsOf(x: Grid, floor: number, precision: Precision): Directions {
  const { data, rows, columns } = x;
  const squares = dotsOf(x, x);
  const norms = new Float64Array(rows);
  let shortest = Infinity;
  let longest = 0;
  for (let i = 0; i < rows; i++) {
    const square = squares[i]!;
    // Else it may have overflowed or underflowed.
    const isOrdinary = square > 1e-280 && square < 1e280;
    const length = isOrdinary ? Math.sqrt(square) : norm(data, i * columns, columns);
    norms[i] = length;
    if (length > 0) shortest = Math.min(shortest, length);
    longest = Math.max(longest, length); // NaN for a NaN
  }
  const isModerate = shortest > 1 / MAX_LENGTH && longest < MAX_LENGTH;
  if (precision === 'float32') {
    const factors = norms.map((length) => inverse(length + floor));
    const common = { factors, norms, squares, divisors: undefined };
    return { ...common, rows: x, largest: longest, precision: isModerate ? precision : 'float64' };
  }
  const units = new Float64Array(rows * columns);
  const divisors = norms.map((length) => (length === 0 ? 1 : length));
  for (let i = 0; i < rows; i++) {
    for (let k = i * columns; k < (i + 1) * columns; k++) units[k] = data[k]! / divisors[i]!;
  }
  const factors = norms.map((length, i) => divisors[i]! * inverse(length + floor));
  const common = { factors, norms, squares, divisors };
  return { ...common, rows: grid(units, rows, columns), largest: 1, precision: precisionFor(x) };
}

function inverse(length: number): number {
  return length === 0 ? 0 : 1 / length;
}

/**
 * Returns the derivative of a loss of products of directions with respect to the rows.
 *
 * @param slopes - for row i and direction j: d(loss)/d(their product) × the factors of both;
 * overwritten
 * @param alongs - for each row: Σ over j of slope × product, the component of the derivative along
 * the row. It is subtracted, because a direction does not change with the length of the row
 */
export function directionAdjoint(
  { rows, factors, norms, divisors, largest, precision }: Directions,
  others: Directions,
  slopes: Float64Array,
  alongs: Float64Array,
): Derivative {
  const count = others.rows.rows;
  for (let i = 0; divisors && i < rows.rows; i++) {
    for (let k = i * count; k < (i + 1) * count; k++) slopes[k]! /= divisors[i]!;
  }
  // d ‖x‖ / d x = x / ‖x‖. At x = 0 this part of the derivative is 0.
  const pulls = alongs.map((along, i) => (norms[i] === 0 ? 0 : (-along * factors[i]!) / norms[i]!));
  const isOwn = rows === others.rows;
  if (isOwn) for (let i = 0; i < count; i++) slopes[i * count + i]! += pulls[i]!;
  return {
    a: grid(slopes, rows.rows, count),
    b: others.rows,
    largest: others.largest,
    precision: others.precision === 'float64' ? 'float64' : precision,
    ...(!isOwn && { own: { factors: pulls, rows, largest } }),
  };
}
