import {
  type FloatArray,
  LinearProjection,
  type LinearProjectionOptions,
} from '../../src/index.js';

export const isNonZero = (row: readonly number[]): boolean =>
  row.some((value) => value !== 0 && value !== -Infinity);

/**
 * A projection whose weights float32 holds: in both formats they are the same, and so is the loss
 * but for its own rounding.
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

/** The terms of what a projection makes may all but cancel. */
export const PROJECTED_TOLERANCE = 1e-5;
