import { type Grid, grid } from '../products/grid.js';
import { type Derivative, dotsOf, lessRow } from '../products/product.js';
import type { Precision } from '../products/productSimd.js';
import { mirror, precisionFor, productsOf } from './gram.js';

/** The distances of the rows of a batch from each other. */
export interface PairDistances {
  readonly rows: number;
  /** ‖xᵢ − xⱼ‖, [rows][rows], in doubles; from the diagonal on to the right. */
  readonly distances: Float64Array;
  /** The mean distance of different rows, or 1 where all distances are 0: the unit of distances. */
  readonly unit: number;
  /** The least distance of rows that do not touch. */
  readonly nearest: number;
  /** Σ over pairs of the squared errors of distances, in their unit. */
  readonly error: number;
  /** The rows less a point between them, where their products were computed in float32. */
  readonly differences: Grid | undefined;
}

/** Below these shares of what it is the difference of, the square of a distance has lost digits. */
const NEAR = { float32: 0.1, float64: 1e-3 };

/** Rows nearer to each other than this share of the mean distance have no direction from one to the other. */
const TOUCHING = 1e-12;

/** Where rows are nearer to each other than this share of the mean distance, float32 has too few digits for what pulls them. */
const CLOSE = 1 / 16;

/**
 * By the products of rows with each other, except where rows are so near that those all but cancel. Float32 products are
 * of the rows less a point between them, which leaves little to cancel; undefined where many rows are near.
 */
export function pairDistances(x: Grid, precision: Precision): PairDistances | undefined {
  const { rows } = x;
  const between = precision === 'float32' ? lessReference(x, precision) : undefined;
  const products = productsOf(between?.differences ?? x, precision, between?.squares);
  const { products: distances } = products;
  const share = products.error + (between ? 2 ** -24 / Math.sqrt(x.columns) : 0); // of rounding differences
  const squares = Float64Array.from({ length: rows }, (_, i) => distances[i * rows + i]!);
  let sum = 0;
  let error = 0;
  let nearest = Infinity;
  let count = 0; // of pairs that are near
  const near = NEAR[precision];
  for (let i = 0; i < rows; i++) {
    const own = squares[i]!;
    for (let j = i + 1; j < rows; j++) {
      const both = own + squares[j]!;
      let square = both - 2 * distances[i * rows + j]!;
      if (!(square > near * both)) {
        square = squaredDistance(x, i, j);
        count++;
      } else error += (both * both) / square;
      const distance = Math.sqrt(square);
      sum += distance;
      distances[i * rows + j] = distance;
      if (distance < nearest && distance > 0) nearest = distance;
    }
    if (between && count > rows) return undefined; // one by one, they take longer than products of doubles
    distances[i * rows + i] = 0 * own; // a NaN has to be seen where there is no other row
  }
  const mean = (2 * sum) / Math.max(rows * (rows - 1), 1);
  const unit = mean === 0 ? 1 : mean;
  if (nearest <= TOUCHING * unit) nearest = nearestApart(distances, rows, unit);
  // The error of a square is that of twice a product of rows; the derivative of the root is 1 / 2 distance.
  const scaledError = between ? (error / 4) * (share / unit) ** 2 : 0;
  const { differences } = between ?? {};
  return { rows, distances, unit, nearest, error: scaledError, differences };
}

/** The least distance of rows that do not touch. */
function nearestApart(distances: Float64Array, rows: number, unit: number): number {
  let nearest = Infinity;
  for (let i = 0; i < rows; i++) {
    for (let k = i * rows + i + 1; k < (i + 1) * rows; k++) {
      const distance = distances[k]!;
      if (distance < nearest && distance > TOUCHING * unit) nearest = distance;
    }
  }
  return nearest;
}

/** Number of rows whose mean is a point between all rows. */
const FEW = 16;

/** The rows less a point between them, and the squares of their lengths: rows that are equal stay equal. */
export function lessReference(
  x: Grid,
  precision: Precision,
): { differences: Grid; squares: Float64Array } {
  const { data, rows, columns } = x;
  const reference = new Float64Array(columns);
  const step = Math.ceil(rows / FEW);
  const count = Math.ceil(rows / step);
  for (let i = 0; i < rows; i += step) {
    for (let j = 0; j < columns; j++) reference[j]! += data[i * columns + j]! / count;
  }
  const differences = lessRow(x, reference, precision);
  return { differences, squares: dotsOf(differences, differences) };
}

function squaredDistance({ data, columns }: Grid, i: number, j: number): number {
  let sum = 0;
  for (let k = 0; k < columns; k++) {
    const u = data[i * columns + k]! - data[j * columns + k]!;
    sum += u * u;
  }
  return sum;
}

/** 1 / distance, and 0 where rows touch: what a derivative by the distance is to be divided by, or cut off at. */
export function inverseDistance(distance: number, unit: number): number {
  return distance <= TOUCHING * unit ? 0 : 1 / distance;
}

/**
 * The adjoint of ½ ‖xᵢ − xⱼ‖²: d loss / d x, for the slope of a loss by each pair i < j. To the precision of x, unless
 * some of its rows are close. Overwrites the slope.
 */
export function distanceAdjoint(slope: Float64Array, x: Grid, own: PairDistances): Derivative {
  const { distances, unit, nearest, rows } = own;
  const pulls = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let j = i + 1; j < rows; j++) {
      const pull = slope[i * rows + j]!;
      sum += pull;
      pulls[j]! += pull;
      slope[i * rows + j] = -pull;
    }
    pulls[i]! += sum;
    slope[i * rows + i] = pulls[i]!;
  }
  mirror(slope, rows);
  // Σ pull (xᵢ − xⱼ) is the same wherever rows are counted from: from a point between them, the least is lost.
  const precision = nearest < CLOSE * unit ? 'float64' : precisionFor(x);
  const differences = precision === 'float32' ? own.differences : undefined;
  const b = differences ?? lessReference(x, 'float64').differences; // float32 might overflow
  // No element of the rows less that point is beyond twice the sum of the distances from one of them.
  let largest = 0;
  for (let i = 0; i < rows; i++) largest += 2 * distances[i]!; // a NaN stays
  return { a: grid(slope, rows, rows), b, largest, precision };
}
