import { checkIndex, refuse, throwShape, throwType } from '../core/errors.js';
import { SUM_TOLERANCE } from '../core/labels.js';
import { type FloatArray, type NumericTrait, typeTag } from '../core/numeric.js';
import { largestIndices } from '../kernels/rows/topK.js';
import type { SparseRow } from './raggedRows.js';

/**
 * Probabilities of one row: by class, in a map or an object, or of all classes in an array. A class
 * that is left out has an unknown probability.
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
  /** Most classes that a row keeps, the most probable ones, ≥ 1; all that are given by default. */
  readonly k?: number | undefined;
  /** Whether the rows hold log p in place of p; false. */
  readonly log?: boolean | undefined;
  /** Temperature of the softmax that gave the probabilities; 1. */
  readonly temperature?: number | undefined;
  /** Precision in which the targets are stored; float32. */
  readonly numeric?: NumericTrait<T> | undefined;
}

/** Hint for a row of which nothing is known. */
const NO_PROBABILITIES = 'an empty Map is a row that keeps no class';

/** What all rows have in common. */
interface Format {
  readonly columns: number;
  readonly k: number;
  readonly log: boolean;
  /** Spacing of the number format at 1. */
  readonly epsilon: number;
}

/** Reads the probabilities of a row; the most probable classes first. */
export function readProbabilities(
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
    // False for NaN, too: the logarithm of a negative number, or what is no number.
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
 * Keeps the k most probable of the classes of a row, the most probable first; the probability of
 * all others is the tail.
 *
 * @param given - classes of a probability above 0, with its logarithm
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
  // What no class has that is given; below the rounding of the sum, it is 0.
  const unknown = count === columns || 1 - sum <= count * epsilon ? 0 : 1 - sum;
  const left = kept.length === logs.length ? 0 : leftOut(logs, best);
  return {
    classes: best.map((i) => classes[i]!),
    logProbabilities: kept,
    logTail: Math.log(unknown + left),
  };
}

/** Σ exp of the numbers that do not stand at these places. */
function leftOut(logs: readonly number[], places: Int32Array): number {
  const kept = new Set(places);
  return logs.reduce((sum, value, i) => (kept.has(i) ? sum : sum + Math.exp(value)), 0);
}

function isList(given: ClassProbabilities): given is readonly number[] | FloatArray {
  return Array.isArray(given) || ArrayBuffer.isView(given);
}

/** The classes of a row with their values, unchecked. */
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
    // A key that is no number as JavaScript writes it is refused as a class.
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
