import { type Grid, grid } from '../products/grid.js';
import { type Derivative, precisionOf } from '../products/product.js';
import { gram } from './gram.js';

/** The distances of the rows of a batch from each other. */
export interface PairDistances {
  readonly rows: number;
  /** ‖xᵢ − xⱼ‖, [rows][rows], in doubles. */
  readonly distances: Float64Array;
  /** Their mean over pairs of different rows, or 1 where all are 0: what distances are measured in. */
  readonly unit: number;
  /** The least distance of rows that do not touch. */
  readonly nearest: number;
}

/** Below this share of what it is the difference of, the square of a distance has lost digits. */
const NEAR = 1e-3;

/** Rows nearer to each other than this share of the mean distance have no direction from one to the other. */
const TOUCHING = 1e-12;

/** Where rows are nearer to each other than this share of the mean distance, float32 has too few digits for what pulls them. */
const CLOSE = 1 / 16;

/** By the products of rows with each other, except where rows are so near that those all but cancel. */
export function pairDistances(x: Grid): PairDistances {
  const { rows } = x;
  const distances = gram(x);
  const squares = Float64Array.from({ length: rows }, (_, i) => distances[i * rows + i]!);
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < i; j++) {
      const both = squares[i]! + squares[j]!;
      let square = both - 2 * distances[i * rows + j]!;
      if (!(square > NEAR * both)) square = squaredDistance(x, i, j);
      const distance = Math.sqrt(square);
      sum += 2 * distance;
      distances[i * rows + j] = distance;
      distances[j * rows + i] = distance;
    }
    distances[i * rows + i] = 0 * squares[i]!; // a NaN has to be seen where there is no other row
  }
  const mean = sum / Math.max(rows * (rows - 1), 1);
  const unit = mean === 0 ? 1 : mean;
  let nearest = Infinity;
  for (let i = 0; i < rows; i++) {
    for (let k = i * rows; k < i * rows + i; k++) {
      const distance = distances[k]!;
      if (distance < nearest && distance > TOUCHING * unit) nearest = distance;
    }
  }
  return { rows, distances, unit, nearest };
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
 * The adjoint of ½ ‖xᵢ − xⱼ‖²: d loss / d x, for the slope of a loss by each of them. A pair has two entries of the slope, which
 * add up. To the precision of x, unless some of its rows are close. Uses up the slope.
 */
export function distanceAdjoint(
  slope: Float64Array,
  x: Grid,
  { distances, unit, nearest }: PairDistances,
): Derivative {
  const { data, rows, columns } = x;
  for (let i = 0; i < rows; i++) slope[i * rows + i] = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < i; j++) {
      const pull = slope[i * rows + j]! + slope[j * rows + i]!;
      slope[i * rows + j] = -pull;
      slope[j * rows + i] = -pull;
      slope[i * rows + i]! += pull;
      slope[j * rows + j]! += pull;
    }
  }
  // Σ pull (xᵢ − xⱼ), which is the same wherever rows are counted from: from the first of them, the least is lost.
  const differences = new Float64Array(rows * columns);
  let largest = 0;
  for (let i = 0; i < rows; i++) {
    const start = i * columns;
    for (let j = 0; j < columns; j++) differences[start + j] = data[start + j]! - data[j]!;
    largest = Math.max(largest, distances[i * rows]!); // a NaN stays
  }
  const precision = nearest < CLOSE * unit ? 'float64' : precisionOf(x);
  return { a: grid(slope, rows, rows), b: grid(differences, rows, columns), largest, precision };
}
