import type { FloatArray } from '../../core/numeric.js';
import { norm } from './distance.js';

/**
 * Least norm by which a row is divided, as in PyTorch's `normalize`, which published code calls.
 */
const EPSILON = 1e-12;

/**
 * Divides a row by max(‖row‖, floor), in place. Returns the denominator, which is Infinity instead
 * of 0, so that zeros stay zeros.
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
 * Adjoint of {@link toUnit}: turns the derivative with respect to the result `unit` into the
 * derivative with respect to the row, in place. `denominator` is the number that {@link toUnit}
 * returned. Both arrays start at `offset`.
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
 * Applies {@link toUnit} to each of several contiguous rows; writes the denominators.
 */
export function toUnits(rows: Float64Array, denominators: Float64Array, floor?: number): void {
  const length = rows.length / denominators.length;
  for (let i = 0; i < denominators.length; i++) {
    denominators[i] = toUnit(rows, i * length, length, floor);
  }
}

/** Adjoint of {@link toUnits}, in place. */
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
