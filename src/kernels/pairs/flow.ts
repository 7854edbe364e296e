// FSP matrices: products of the channels of two layers, averaged over positions.

import { type Grid, grid, transpose } from '../products/grid.js';
import { addProduct } from '../products/product.js';

/** Feature maps of two layers, [channels, positions] each. */
export interface Layers {
  readonly first: Grid;
  readonly second: Grid;
}

/** result = F · Hᵀ / positions, for the maps F of the first layer and H of the second. */
function flow({ first, second }: Layers, result: Float64Array): void {
  result.fill(0);
  addProduct(result, first, transpose(second));
  for (let k = 0; k < result.length; k++) result[k]! /= first.columns;
}

/**
 * Returns a function that computes Σ (flow(student) − flow(teacher))². It writes the derivative
 * with respect to the student's maps to `derivative`, the first layer before the second.
 *
 * @param channels - number of channels of both layers
 */
export function flowDifference(
  channels: readonly [number, number],
): (student: Layers, teacher: Layers, derivative: Float64Array | undefined) => number {
  const [c1, c2] = channels;
  const own = new Float64Array(c1 * c2);
  const other = new Float64Array(c1 * c2);
  return (student, teacher, derivative) => {
    flow(student, own);
    flow(teacher, other);
    const positions = student.first.columns;
    let sum = 0;
    for (let k = 0; k < own.length; k++) {
      const u = own[k]! - other[k]!;
      sum += u * u;
      own[k] = (2 * u) / positions; // from here on d(loss) / d(F · Hᵀ)
    }
    if (derivative) {
      derivative.fill(0);
      const slope = grid(own, c1, c2);
      addProduct(derivative.subarray(0, c1 * positions), slope, student.second);
      addProduct(derivative.subarray(c1 * positions), transpose(slope), student.first);
    }
    return sum;
  };
}
