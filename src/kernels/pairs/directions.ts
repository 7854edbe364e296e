// Directions of rows, as factors of the rows: their products are made of products of the rows,
// which are computed before anything is rounded.

import { type Grid, grid } from '../products/grid.js';
import { type Derivative, dotsOf } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { norm } from '../rows/distance.js';
import { precisionFor } from './gram.js';

/**
 * Rows x with factors f, so that f x is the direction x / (‖x‖ + floor); 0 where x and the floor
 * are 0.
 */
export interface Directions {
  /**
   * For products in float32 the rows as they are; otherwise copies of length 1, whose products do
   * not overflow.
   */
  readonly rows: Grid;
  readonly factors: Float64Array;
  /** ‖x‖ and ‖x‖² of each row as it was given. */
  readonly norms: Float64Array;
  readonly squares: Float64Array;
  /** What each row was divided by, where rows are copies. */
  readonly divisors: Float64Array | undefined;
  /** No element of the rows is beyond ±largest. */
  readonly largest: number;
  /** For the product that makes the derivative. */
  readonly precision: Precision;
}

/** Float32 holds products of factors of rows whose lengths are between this and its inverse. */
const LONG = 2 ** 30;

export function directionsOf(x: Grid, floor: number, precision: Precision): Directions {
  const { data, rows, columns } = x;
  const squares = dotsOf(x, x);
  const norms = new Float64Array(rows);
  let shortest = Infinity;
  let longest = 0;
  for (let i = 0; i < rows; i++) {
    const square = squares[i]!;
    const isOrdinary = square > 1e-280 && square < 1e280; // of doubles, squares may overflow or underflow
    const length = isOrdinary ? Math.sqrt(square) : norm(data, i * columns, columns);
    norms[i] = length;
    if (length > 0) shortest = Math.min(shortest, length);
    longest = Math.max(longest, length); // a NaN stays
  }
  const isModerate = shortest > 1 / LONG && longest < LONG;
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
 * The derivative by rows of the products of their directions with others.
 *
 * @param slopes - for row i and direction j, the slope of the loss by their product times the
 * factors of both; it is overwritten
 * @param alongs - for each row, Σ over j of slope × product: it has no part in the derivative,
 * along which it points
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
  // d ‖x‖ / d x = x / ‖x‖; at x = 0 the product of the two is of second order.
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
