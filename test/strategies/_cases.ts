import {
  type FloatArray,
  LinearProjection,
  type LinearProjectionOptions,
} from '../../src/index.js';

export const isNonZero = (row: readonly number[]): boolean =>
  row.some((value) => value !== 0 && value !== -Infinity);

/**
 * A projection whose weights are exact in float32. They are the same in both dtypes, so that the
 * losses differ by their own rounding only.
 */
export function roundedProjection<T extends FloatArray>(
  inputs: number,
  outputs: number,
  options: LinearProjectionOptions<T>,
): LinearProjection<T> {
  const projection = new LinearProjection<T>(inputs, outputs, options);
  for (const { value } of projection.parameters()) value.data.set(Float32Array.from(value.data));
  return projection;
}

/** The terms of a projection may nearly cancel. */
export const PROJECTED_TOLERANCE = 1e-5;
