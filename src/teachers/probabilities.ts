import { readNumeric } from '../core/convert.js';
import {
  checkBoolean,
  checkIndex,
  checkInteger,
  checkOptions,
  checkPositive,
  refuse,
  throwShape,
  throwType,
} from '../core/errors.js';
import { SUM_TOLERANCE } from '../core/labels.js';
import { type FloatArray, type NumericTrait, typeTag } from '../core/numeric.js';
import { largestIndices } from '../kernels/rows/topK.js';
import { packRows, type SparseRow } from './raggedRows.js';
import type { SparseTargetsOptions } from './sparseOptions.js';

/**
 * Probabilities of one row: a map or an object from classes to probabilities, or an array with the
 * probability of each class. The probability of a class that is left out is unknown.
 */
export type ClassProbabilities =
  | ReadonlyMap<number, number>
  | Readonly<Record<number, number>>
  | readonly number[]
  | FloatArray;

/** Options of `SparseTargets.fromProbabilities`. */
export interface ProbabilityOptions<T extends FloatArray = Float32Array> {
  /** Number of classes: the student's columns. */
  readonly columns: number;
  /**
   * Largest number of classes that a row keeps, ≥ 1. The row keeps its most probable classes.
   *
   * @defaultValue all classes that are given
   */
  readonly k?: number | undefined;
  /**
   * Whether the rows hold log-probabilities instead of probabilities.
   *
   * @defaultValue false
   */
  readonly log?: boolean | undefined;
  /**
   * Temperature of the softmax that gave the probabilities.
   *
   * @defaultValue 1
   */
  readonly temperature?: number | undefined;
  /**
   * Precision in which the targets are stored.
   *
   * @defaultValue float32
   */
  readonly numeric?: NumericTrait<T> | undefined;
}

/** Hint for a row without probabilities. */
const NO_PROBABILITIES = 'an empty Map is a row that keeps no class';

/** Settings that all rows share. */
interface Format {
  readonly columns: number;
  readonly k: number;
  readonly log: boolean;
  /** Spacing at 1 of the dtype in which targets are stored. */
  readonly epsilon: number;
}

/** Reads rows of probabilities; see `SparseTargets.fromProbabilities`. */
export function readTargets<T extends FloatArray>(
  operation: string,
  rows: readonly ClassProbabilities[],
  options: ProbabilityOptions<T>,
): SparseTargetsOptions<T> {
  if (!Array.isArray(rows)) {
    const hint = typeTag(rows) === 'Map' ? 'write [row] for a single row' : undefined;
    throwType(operation, 'rows', 'be an array of rows', rows, hint);
  }
  const known = ['columns', 'k', 'log', 'temperature', 'numeric'];
  checkOptions(operation, 'options', options, known);
  const { columns, log = false, temperature = 1 } = options;
  checkInteger(operation, 'columns', columns, 1);
  const { k = columns } = options;
  checkInteger(operation, 'k', k, 1);
  checkBoolean(operation, 'log', log);
  checkPositive(operation, 'temperature', temperature);
  const numeric = readNumeric(operation, options.numeric);
  const format = { columns, k, log, epsilon: numeric.epsilon };
  const kept = rows.map((given, row) => readRow(operation, given, row, format));
  return { ...packRows(kept, numeric), columns, temperature };
}

/** Reads the probabilities of a row. Returns the most probable classes first. */
function readRow(
  operation: string,
  given: ClassProbabilities,
  row: number,
  { columns, k, log, epsilon }: Format,
): SparseRow {
  const classes: number[] = [];
  const logs: number[] = [];
  let sum = 0;
  let count = 0;
  for (const [key, value] of entriesOf(operation, given, row, columns)) {
    count++;
    if (!(Number.isInteger(key) && key >= 0 && key < columns)) {
      checkIndex(operation, `class in rows[${row}]`, key, columns);
    }
    const logProbability = typeof value !== 'number' ? Number.NaN : log ? value : Math.log(value);
    // The comparison is false for NaN, too: for negative probabilities and other types.
    if (!(logProbability <= SUM_TOLERANCE)) {
      const hint = `for logits, use ${isList(given) ? 'SparseTargets.topK(Matrix.fromRows(rows), k)' : 'new SparseTargets({ indices, logits, columns })'}`;
      throwProbability(operation, value, { row, column: key, hint }, log);
    }
    if (logProbability === -Infinity) continue;
    classes.push(key);
    logs.push(logProbability);
    sum += Math.exp(logProbability);
  }
  const isWhole = count === columns;
  if (sum > 1 + SUM_TOLERANCE || (isWhole && sum < 1 - SUM_TOLERANCE)) {
    const expected = `hold probabilities that sum to ${isWhole ? '' : 'at most '}1 (±${SUM_TOLERANCE})`;
    const hint = sum === 0 ? NO_PROBABILITIES : undefined;
    refuse('NOT_A_DISTRIBUTION', operation, `rows[${row}]`, expected, String(sum), { hint });
  }
  return keepMostProbable({ classes, logProbabilities: logs }, count, { columns, k, epsilon });
}

/**
 * Keeps the k most probable classes of a row, the most probable first. The tail gets the
 * probability of all other classes.
 *
 * @param given - classes with a probability above 0, and the logarithm of each probability
 * @param count - number of classes whose probability is known, those of probability 0 included
 */
export function keepMostProbable(
  given: { readonly classes: readonly number[]; readonly logProbabilities: readonly number[] },
  count: number,
  { columns, k, epsilon }: Omit<Format, 'log'>,
): SparseRow {
  const { classes, logProbabilities: logs } = given;
  const best = new Int32Array(Math.min(k, classes.length));
  largestIndices(Float64Array.from(logs), best);
  const kept = Array.from(best, (i) => logs[i]!);
  const sum = logs.reduce((total, log) => total + Math.exp(log), 0);
  // The probability of the classes that are not given; 0 if it is below the rounding of the sum.
  const unknown = count === columns || 1 - sum <= count * epsilon ? 0 : 1 - sum;
  const dropped = kept.length === logs.length ? 0 : sumWithout(logs, best);
  return {
    classes: best.map((i) => classes[i]!),
    logProbabilities: kept,
    logTail: Math.log(unknown + dropped),
  };
}

/** Σ exp(log) over all logarithms but those at the given positions. */
function sumWithout(logs: readonly number[], positions: Int32Array): number {
  const excluded = new Set(positions);
  return logs.reduce((sum, log, i) => (excluded.has(i) ? sum : sum + Math.exp(log)), 0);
}

function isList(given: ClassProbabilities): given is readonly number[] | FloatArray {
  return Array.isArray(given) || ArrayBuffer.isView(given);
}

/** Returns the classes of a row with their values, unchecked. */
function entriesOf(
  operation: string,
  given: ClassProbabilities,
  row: number,
  columns: number,
): Iterable<readonly [number, number]> {
  const tag = typeTag(given);
  if (tag === 'Map') return (given as ReadonlyMap<number, number>).entries();
  if (isList(given)) {
    const { length } = given;
    if (length === columns) return given.entries();
    const hint = 'for some classes alone, use a Map';
    throwShape(operation, `rows[${row}]`, [length], [columns], 'one for each class', hint);
  }
  if (tag === 'Object') {
    // A key such as "07" or "x" stays a string, which the caller refuses as a class.
    return Object.entries(given).map(([key, value]) => [
      (String(Number(key)) === key ? Number(key) : key) as number,
      value,
    ]);
  }
  const expected = 'be a Map, an object or an array of probabilities';
  throwType(operation, `rows[${row}]`, expected, given, NO_PROBABILITIES);
}

function throwProbability(
  operation: string,
  value: unknown,
  place: { readonly row: number; readonly column: number; readonly hint: string },
  log: boolean,
): never {
  const argument = log ? 'log-probability' : 'probability';
  const expected = log ? 'be at most 0' : 'be in [0, 1]';
  if (typeof value !== 'number') {
    throwType(operation, `${argument} row ${place.row}, column ${place.column}`, expected, value);
  }
  if (Number.isNaN(value)) {
    const { row, column } = place;
    refuse('NOT_FINITE', operation, argument, 'be finite', String(value), { row, column });
  }
  const other = log
    ? 'for probabilities, leave out log; '
    : value < 0
      ? 'for log-probabilities, pass log: true; '
      : '';
  const hint = other + place.hint;
  refuse('OUT_OF_RANGE', operation, argument, expected, String(value), { ...place, hint });
}
