// Writes and reads matrices as JSON. Reading returns every number bit by bit.

import { allocate } from './allocate.js';
import type { MatrixContent } from './content.js';
import { checkNumeric } from './convert.js';
import { checkInteger, checkOptions, refuse, throwShape, throwType } from './errors.js';
import type { FloatArray, NumericTrait } from './numeric.js';

/** @inline String that stands for a number that JSON cannot hold. */
type SpecialNumber = 'NaN' | 'Infinity' | '-Infinity' | '-0';

const SPECIAL_NUMBERS: readonly SpecialNumber[] = ['NaN', 'Infinity', '-Infinity', '-0'];

/** The special numbers, as messages list them. */
const SPECIAL_LIST = '"NaN", "Infinity", "-Infinity" or "-0"';

/** A matrix as plain data that JSON can hold: `Matrix.fromJSON` reads what `toJSON` returns. */
export interface MatrixJSON {
  /** Number format of the matrix. */
  readonly dtype: 'float32' | 'float64';
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly columns: number;
  /** `rows × columns` values, row after row; a string for a value that JSON has no number for. */
  readonly data: readonly (number | SpecialNumber)[];
}

/** Converts a matrix to plain data that JSON can hold. */
export function writeJSON<T extends FloatArray>(
  { data, rows, columns }: MatrixContent<T>,
  { dtype }: NumericTrait<T>,
): MatrixJSON {
  const specialOf = (value: number) =>
    SPECIAL_NUMBERS.find((name) => Object.is(Number(name), value));
  const values = Array.from(data, (value) =>
    value !== 0 && Number.isFinite(value) ? value : (specialOf(value) ?? value),
  );
  return { dtype, rows, columns, data: values };
}

/**
 * Reads a matrix that {@link writeJSON} wrote; throws for anything else.
 *
 * @param hint - hint of the error for data in another number format
 */
export function readJSON(
  operation: string,
  argument: string,
  json: unknown,
  numeric: NumericTrait<FloatArray>,
  hint?: string,
): MatrixContent {
  checkNumeric(operation, numeric);
  checkOptions(operation, argument, json, ['dtype', 'rows', 'columns', 'data']);
  const { dtype, rows, columns, data } = json as MatrixJSON; // each is checked below
  if (dtype !== numeric.dtype) {
    const [place, expected] = [`${argument}.dtype`, `be ${numeric.dtype}`];
    refuse('DTYPE_MISMATCH', operation, place, expected, String(dtype), { hint });
  }
  checkInteger(operation, `${argument}.rows`, rows, 0);
  checkInteger(operation, `${argument}.columns`, columns, 1);
  if (!Array.isArray(data)) throwType(operation, `${argument}.data`, 'be an array', data);
  if (data.length !== rows * columns) {
    const why = 'rows × columns';
    throwShape(operation, `${argument}.data`, [data.length], [rows * columns], why);
  }
  const values = allocate(operation, { rows, columns }, (length) => numeric.allocate(length));
  for (let i = 0; i < values.length; i++) {
    const value: unknown = data[i];
    const isNumber = typeof value === 'number';
    if (isNumber || SPECIAL_NUMBERS.includes(value as SpecialNumber)) values[i] = Number(value);
    else throwType(operation, `${argument}.data[${i}]`, `be a number, ${SPECIAL_LIST}`, value);
    if (!isNumber || Number.isFinite(values[i])) continue;
    const [place, expected] = [`${argument}.data`, `be a finite ${dtype}, ${SPECIAL_LIST}`];
    const at = { row: Math.floor(i / columns), column: i % columns };
    refuse('OUT_OF_RANGE', operation, place, expected, String(value), at);
  }
  return { data: values, rows, columns };
}
