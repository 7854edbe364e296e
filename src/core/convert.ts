// Converts data between number formats, and refuses values that a format cannot hold.

import { allocate } from './allocate.js';
import { refuse, throwType } from './errors.js';
import { type FloatArray, float32, type NumericTrait } from './numeric.js';

/** Throws unless `numeric` is a number format. */
export function checkNumeric(operation: string, numeric: NumericTrait<FloatArray>): void {
  if (typeof numeric?.allocate === 'function') return;
  throwType(operation, 'numeric', 'be float32 or float64, which the library exports', numeric);
}

/**
 * Returns the number format of an option; float32 if the option is left out, as the type parameter
 * `T` defaults to `Float32Array`.
 */
export function readNumeric<T extends FloatArray>(
  operation: string,
  numeric: NumericTrait<T> | undefined,
): NumericTrait<T> {
  const trait = (numeric === undefined ? float32 : numeric) as NumericTrait<T>;
  checkNumeric(operation, trait);
  return trait;
}

/**
 * Copies the data of a matrix into a number format.
 *
 * @throws {DistillationError} OUT_OF_RANGE for a finite value that the format cannot hold
 */
export function convert<T extends FloatArray>(
  operation: string,
  { data, rows, columns }: { readonly data: FloatArray; rows: number; columns: number },
  numeric: NumericTrait<T>,
): T {
  const copy = allocate(operation, { rows, columns }, () => numeric.from(data));
  for (let index = 0; index < copy.length; index++) {
    const value = data[index]!;
    if (Number.isFinite(copy[index]) || !Number.isFinite(value)) continue;
    throwUnrepresentable(operation, numeric, Math.floor(index / columns), index % columns, value);
  }
  return copy;
}

/**
 * Returns `value`; throws unless it is a number that the format can hold. Every format holds NaN
 * and infinities.
 */
export function checkValue(
  operation: string,
  numeric: NumericTrait<FloatArray>,
  row: number,
  column: number,
  value: unknown,
): number {
  if (typeof value !== 'number') {
    const hint = typeof value === 'bigint' ? 'convert it: Number(value)' : undefined;
    throwType(operation, `row ${row}, column ${column}`, 'be a number', value, hint);
  }
  if (Number.isFinite(value) && !Number.isFinite(numeric.round(value))) {
    throwUnrepresentable(operation, numeric, row, column, value);
  }
  return value;
}

function throwUnrepresentable(
  operation: string,
  numeric: NumericTrait<FloatArray>,
  row: number,
  column: number,
  value: number,
): never {
  const expected = `be at most ${numeric.largest}, the largest ${numeric.dtype}`;
  refuse('OUT_OF_RANGE', operation, 'value', expected, String(value), {
    row,
    column,
    sentence: `row ${row}, column ${column} must ${expected}, got ${value}`,
    hint: 'use float64',
  });
}
