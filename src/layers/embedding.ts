import { gather } from '../call/rows.js';
import { checkDtype, checkRow, checkShape } from '../core/checks.js';
import { refuse } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import { type Grid, grid } from '../kernels/products/grid.js';
import { toUnits, unitsAdjoint } from '../kernels/rows/unit.js';
import { checkProjection, type LinearProjection } from './linearProjection.js';

/** Rows scaled to length 1, with the adjoint of the scaling and of the projection. */
export interface Embedding {
  readonly units: Grid;
  /**
   * Writes d(loss)/d(rows) to `derivative`, and adds `scale` times the gradient to the parameters
   * of the projection.
   *
   * @param slope - d(loss)/d(units); overwritten
   */
  adjoint(slope: Float64Array, scale: number, derivative: Float64Array): void;
}

/**
 * Throws unless a row has the width of the contrast or, with a projection, the width of the
 * projection's input.
 */
export function checkVectors<T extends FloatArray>(
  operation: string,
  side: string,
  matrix: Matrix<T>,
  projection: LinearProjection<T> | undefined,
  width: number,
): void {
  const columns = projection?.inputColumns ?? width;
  const why = projection ? "the projection's input" : 'the width of the contrast';
  const option = side === 'student' ? 'projection' : 'teacherProjection';
  const hint = projection
    ? undefined
    : `or pass ${option}: new LinearProjection(${matrix.columns}, ${width})`;
  checkShape(operation, side, matrix, [matrix.rows, columns], why, hint);
}

/** Throws unless the option is a projection to the width and the number format of `vectors`. */
export function checkProjectionTo<T extends FloatArray>(
  operation: string,
  argument: string,
  projection: LinearProjection<T>,
  vectors: Matrix<T>,
): void {
  checkProjection(operation, argument, projection);
  const hint = `give it { numeric: ${vectors.numeric.dtype} }`;
  for (const { value } of projection.parameters()) {
    checkDtype(operation, argument, value, vectors, hint);
    checkShape(
      operation,
      argument,
      value,
      [value.rows, vectors.columns],
      'the width of the contrast',
    );
  }
}

/**
 * Projects the rows, if there is a projection, and divides each row by its norm. A row of zeros
 * stays zero.
 */
export function embed<T extends FloatArray>(
  x: Grid,
  projection: LinearProjection<T> | undefined,
): Embedding {
  const units = projection ? project(x, projection) : Float64Array.from(x.data);
  const norms = new Float64Array(x.rows);
  toUnits(units, norms, 0);
  return {
    units: grid(units, x.rows, projection?.outputColumns ?? x.columns),
    adjoint(slope, scale, derivative) {
      unitsAdjoint(units, norms, slope, 0);
      if (projection) projection.addGradient(x.data, x.rows, slope, scale, derivative);
      else derivative.set(slope);
    },
  };
}

/** Embeds some rows of one side; throws if a value or a length is not finite. */
export function embedRows<T extends FloatArray>(
  operation: string,
  side: string,
  matrix: Matrix<T>,
  rows: readonly number[],
  projection: LinearProjection<T> | undefined,
): Grid {
  for (const row of rows) checkRow(operation, side, matrix, row);
  projection?.explain(operation);
  const { units } = embed(gather(matrix, rows), projection);
  if (units.data.every(Number.isFinite)) return units;
  refuse('OVERFLOW', operation, side, 'have rows of finite length', 'longer ones');
}

function project<T extends FloatArray>(
  { data, rows }: Grid,
  projection: LinearProjection<T>,
): Float64Array {
  const projected = new Float64Array(rows * projection.outputColumns);
  projection.project(data, rows, projected);
  return projected;
}
