import type { FloatArray } from '../../core/numeric.js';
import { norm } from './distance.js';

/**
 * The floor of the norms that rows are divided by, as in PyTorch's `normalize`, which published
 * code calls.
 */
const EPSILON = 1e-12;

/**
 * Divides a row by max(‖row‖, floor), in place, and returns that; Infinity where it is 0, so that
 * zeros stay zeros.
 */
export function toUnit(
  row: Float64Array,
  offset: number,
  length: number,
  floor: number = EPSILON,
): number {
  const largest = Math.max(norm(row, offset, length), floor);
  const denominator = largest === 0 ? Infinity : largest;
  for (let i = offset; i < offset + length; i++) row[i]! /= denominator;
  return denominator;
}

/**
 * The adjoint of {@link toUnit}: what was the derivative with respect to `unit` becomes that with
 * respect to the row it came of. `denominator` is what {@link toUnit} returned, and both start at
 * `offset`.
 */
export function unitAdjoint(
  unit: FloatArray,
  denominator: number,
  derivative: Float64Array,
  offset: number,
  length: number,
  floor: number = EPSILON,
): void {
  let along = 0;
  if (denominator > floor) {
    for (let i = offset; i < offset + length; i++) along += unit[i]! * derivative[i]!;
  }
  for (let i = offset; i < offset + length; i++) {
    derivative[i] = (derivative[i]! - along * unit[i]!) / denominator;
  }
}

/**
 * {@link toUnit} of each of the rows that stand one after another; writes what they were divided
 * by.
 */
export function toUnits(rows: Float64Array, denominators: Float64Array, floor?: number): void {
  const length = rows.length / denominators.length;
  for (let i = 0; i < denominators.length; i++) {
    denominators[i] = toUnit(rows, i * length, length, floor);
  }
}

/** The adjoint of {@link toUnits}, in place. */
export function unitsAdjoint(
  units: FloatArray,
  denominators: Float64Array,
  derivative: Float64Array,
  floor?: number,
): void {
  const length = units.length / denominators.length;
  for (let i = 0; i < denominators.length; i++) {
    unitAdjoint(units, denominators[i]!, derivative, i * length, length, floor);
  }
}
