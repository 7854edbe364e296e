// How the channels of one layer go with those of a later one, over positions.

import { type Grid, grid, transpose } from '../products/grid.js';
import { addProduct } from '../products/product.js';

/** The maps of two layers, [channels][positions] each. */
export interface Layers {
  readonly first: Grid;
  readonly second: Grid;
}

/** result = F · Hᵀ / positions, F the maps of the first layer and H those of the second. */
function flow({ first, second }: Layers, result: Float64Array): void {
  result.fill(0);
  addProduct(result, first, transpose(second));
  for (let k = 0; k < result.length; k++) result[k]! /= first.columns;
}

/**
 * Σ (flow(student) − flow(teacher))² for layers with these numbers of channels. Where `derivative`
 * is given, it is written with the derivative by the student's maps, the second layer behind the
 * first.
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
      own[k] = (2 * u) / positions; // from here on the slope by F · Hᵀ
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
