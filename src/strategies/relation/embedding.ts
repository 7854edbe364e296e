import { checkShape } from '../../batch.js';
import { type Grid, grid } from '../../kernels/grid.js';
import { unitRows, unitRowsAdjoint } from '../../kernels/unitRows.js';
import type { Matrix } from '../../matrix.js';
import type { FloatArray } from '../../numeric.js';
import type { LinearProjection } from '../feature/linearProjection.js';

/** Rows as vectors of length 1. */
export interface Embedding {
  readonly units: Grid;
  /**
   * Writes what d(loss)/d(units) makes of the rows to `derivative`, and adds `scale` times the gradient to the parameters
   * of the projection. Uses up the slope.
   */
  adjoint(slope: Float64Array, scale: number, derivative: Float64Array): void;
}

/** Throws unless a row is one vector of the projection's, not a map of several positions. */
export function checkVectors<T extends FloatArray>(
  operation: string,
  argument: string,
  matrix: Matrix<T>,
  { inputColumns }: LinearProjection<T>,
): void {
  checkShape(operation, argument, matrix, matrix.rows, inputColumns, "the projection's input");
}

/** The rows, projected where there is a projection, and divided by their norms; a row of zeros stays one. */
export function embed<T extends FloatArray>(
  x: Grid,
  projection: LinearProjection<T> | undefined,
): Embedding {
  const unit = unitRows(projection ? project(x, projection) : x);
  return {
    units: unit.units,
    adjoint(slope, scale, derivative) {
      unitRowsAdjoint(unit, slope);
      if (projection) projection.addGradient(x.data, x.rows, slope, scale, derivative);
      else derivative.set(slope);
    },
  };
}

function project<T extends FloatArray>(
  { data, rows }: Grid,
  projection: LinearProjection<T>,
): Grid {
  const { outputColumns } = projection;
  const projected = new Float64Array(rows * outputColumns);
  projection.project(data, rows, projected);
  return grid(projected, rows, outputColumns);
}
