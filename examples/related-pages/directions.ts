import type { Random } from '../shared/random.js';
import { addScaled, dot } from '../shared/vectors.js';

/** Number of iterations of the subspace iteration for the main directions. */
const ROUNDS = 60;

/**
 * Returns the main directions of rows of length `width`, one after the other: the orthonormal
 * directions along which the sum of squares of all rows is largest.
 */
export function mainDirections(
  rows: Float32Array,
  width: number,
  count: number,
  random: Random,
): Float64Array {
  const products = productsOfColumns(rows, width);
  let directions = Float64Array.from({ length: count * width }, () => random.normal());
  for (let round = 0; round < ROUNDS; round++) {
    const multiplied = new Float64Array(count * width);
    for (let d = 0; d < count * width; d += width) {
      for (let i = 0; i < width; i++)
        addScaled(multiplied, d, directions[d + i]!, products, i * width, width);
    }
    directions = multiplied;
    orthonormalize(directions, width);
  }
  return directions;
}

/** Returns Σ over rows of rowᵀ · row. */
function productsOfColumns(rows: Float32Array, width: number): Float64Array {
  const products = new Float64Array(width * width);
  for (let row = 0; row < rows.length; row += width) {
    for (let i = 0; i < width; i++)
      addScaled(products, i * width, rows[row + i]!, rows, row, width);
  }
  return products;
}

/** Orthonormalizes the directions by Gram-Schmidt. */
function orthonormalize(directions: Float64Array, width: number): void {
  for (let d = 0; d < directions.length; d += width) {
    for (let before = 0; before < d; before += width) {
      addScaled(
        directions,
        d,
        -dot(directions, d, directions, before, width),
        directions,
        before,
        width,
      );
    }
    const length = Math.sqrt(dot(directions, d, directions, d, width));
    for (let i = 0; i < width; i++) directions[d + i]! /= length;
  }
}

/** Returns the coordinates of each row along each direction. */
export function along(rows: Float32Array, width: number, directions: Float64Array): Float32Array {
  const count = directions.length / width;
  return Float32Array.from({ length: (rows.length / width) * count }, (_, k) =>
    dot(rows, Math.floor(k / count) * width, directions, (k % count) * width, width),
  );
}
