import type { DistillationErrorCode } from './errorDetails.js';
import { refuse, throwShape, throwType } from './errors.js';
import type { Matrix } from './matrix.js';
import { type FloatArray, typeTag } from './numeric.js';

/** True labels: one distribution per row (one-hot or soft), or one class index per row. */
export type Labels<T extends FloatArray = Float32Array> = Matrix<T> | Int32Array;

/** Class index of a row that is excluded from the loss, hard and soft (padding, prompt tokens). */
export const IGNORE_INDEX = -100;

/** Class index of a row without a true label: its loss is the soft term alone. */
export const UNLABELED = -1;

/** The rule for a mask, as messages state it. */
const MASK_RULE = 'hold 0 or 1 for each row';

/**
 * Largest accepted deviation of a sum of probabilities from 1, and of one probability above 1. It
 * admits probabilities that were stored in half precision, whose spacing just below 1 is 2⁻¹¹ ≈
 * 5e-4.
 */
export const SUM_TOLERANCE = 1e-3;

export function isClassIndices<T extends FloatArray>(labels: Labels<T>): labels is Int32Array {
  // The tag, which is slower, recognises arrays of another realm (iframe, worker, test runner).
  return labels instanceof Int32Array || typeTag(labels) === 'Int32Array';
}

/** Returns the number of rows that are labelled. */
export function labelRows<T extends FloatArray>(labels: Labels<T>): number {
  return isClassIndices(labels) ? labels.length : labels.rows;
}

/**
 * Whether the label of a row gives a class a probability above 0.
 *
 * @param index - index of the class in the data of a label matrix: row × columns + column
 */
export function hasClass<T extends FloatArray>(
  labels: Labels<T>,
  row: number,
  column: number,
  index: number,
): boolean {
  return isClassIndices(labels) ? labels[row] === column : labels.data[index]! > 0;
}

/** Whether a row has a label. Every row of a label matrix has one. */
export function hasLabel<T extends FloatArray>(labels: Labels<T>, row: number): boolean {
  return !isClassIndices(labels) || labels[row] !== UNLABELED;
}

/** Returns the class of each row; undefined if a kept row of a matrix is not one-hot. */
export function classesOf<T extends FloatArray>(
  labels: Labels<T>,
  rows: readonly number[],
): Int32Array | undefined {
  if (isClassIndices(labels)) return labels;
  const { data, columns } = labels;
  const classes = new Int32Array(labels.rows);
  for (const row of rows) {
    const start = row * columns;
    let column = 0;
    while (column < columns && data[start + column] === 0) column++;
    if (column === columns || data[start + column] !== 1) return undefined;
    for (let j = column + 1; j < columns; j++) {
      if (data[start + j] !== 0) return undefined;
    }
    classes[row] = column;
  }
  return classes;
}

/**
 * Cached lists of row indices 0, 1, … n − 1. Most calls keep all rows, and most batches of a
 * training have the same number of rows.
 */
const ALL_ROWS: (readonly number[])[] = [];

/** The limits keep the cache below 8 × 65536 indices, about 4 MB. */
const MAX_LISTS = 8;
const MAX_CACHED_ROWS = 65536;

/** Returns the list 0, 1, … count − 1. Calls share the list; it is frozen. */
function allRows(count: number): readonly number[] {
  for (let i = 0; i < ALL_ROWS.length; i++) {
    if (ALL_ROWS[i]!.length === count) return ALL_ROWS[i]!;
  }
  const rows = Object.freeze(Array.from({ length: count }, (_, row) => row));
  if (count > MAX_CACHED_ROWS) return rows;
  if (ALL_ROWS.length === MAX_LISTS) ALL_ROWS.shift();
  ALL_ROWS.push(rows);
  return rows;
}

/**
 * Returns the kept rows, ascending: the rows that neither the mask nor {@link IGNORE_INDEX}
 * excludes.
 */
export function keptRows<T extends FloatArray>(
  operation: string,
  rows: number,
  labels: Labels<T> | undefined,
  mask: ArrayLike<number> | undefined,
): readonly number[] {
  const indices = labels !== undefined && isClassIndices(labels) ? labels : undefined;
  if (mask === undefined && !indices?.includes(IGNORE_INDEX)) return allRows(rows);
  if (mask !== undefined) {
    const isList = typeof mask === 'object' && typeof mask?.length === 'number';
    if (!isList) throwType(operation, 'mask', MASK_RULE, mask);
    const { length } = mask;
    if (length !== rows) throwShape(operation, 'mask', [length], [rows], 'one for each row');
  }
  const kept: number[] = [];
  for (let row = 0; row < rows; row++) {
    const keep = mask === undefined || isKept(operation, 'mask', mask, row);
    if (keep && indices?.[row] !== IGNORE_INDEX) kept.push(row);
  }
  return kept;
}

/**
 * Whether an element of a mask is 1; throws unless it is 0 or 1, as a number, a boolean or a
 * bigint.
 */
export function isKept(
  operation: string,
  argument: string,
  mask: ArrayLike<number | bigint | boolean>,
  row: number,
): boolean {
  const keep: unknown = mask[row];
  if (keep === 1 || keep === true || keep === 1n) return true;
  if (keep === 0 || keep === false || keep === 0n) return false;
  if (typeof keep === 'number' || typeof keep === 'bigint') {
    refuse('OUT_OF_RANGE', operation, argument, MASK_RULE, String(keep), { row });
  }
  throwType(operation, `${argument}[${row}]`, 'be 0 or 1', keep);
}

/**
 * Throws unless each kept row has the label UNLABELED, a class in [0, columns), or a row of that
 * width; `checkRows` throws for the numbers of such rows.
 */
export function checkLabels<T extends FloatArray>(
  operation: string,
  labels: Labels<T>,
  columns: number,
  rows: readonly number[],
  checkRows: (labels: Matrix<T>) => void,
): void {
  if (!isClassIndices(labels)) {
    if (labels.columns !== columns) {
      const expected = [labels.rows, columns];
      throwShape(operation, 'labels', [labels.rows, labels.columns], expected, 'as the student');
    }
    checkRows(labels);
    return;
  }
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const index = labels[row]!;
    if ((index >= 0 && index < columns) || index === UNLABELED) continue;
    const expected = `be a class in [0, ${columns}), UNLABELED (${UNLABELED}) or IGNORE_INDEX (${IGNORE_INDEX})`;
    refuse('OUT_OF_RANGE', operation, 'labels', expected, String(index), { row });
  }
}

/** Throws unless each kept row has a label. */
export function checkHasLabels<T extends FloatArray>(
  operation: string,
  labels: Labels<T> | undefined,
  rows: readonly number[],
): void {
  const row = rows.find((kept) => labels === undefined || !hasLabel(labels, kept));
  if (row === undefined) return;
  const received = labels === undefined ? 'none' : `UNLABELED (${UNLABELED})`;
  const place = labels === undefined ? {} : { row };
  const hint =
    labels === undefined
      ? 'labels are the third argument: pass undefined for the teacher'
      : 'exclude rows without a label by IGNORE_INDEX or a mask';
  refuse('LABEL_REQUIRED', operation, 'labels', 'be there for every row', received, {
    ...place,
    hint,
  });
}

/** Throws unless the label of each kept row is one class: an index, or a one-hot row. */
export function checkClasses<T extends FloatArray>(
  operation: string,
  labels: Labels<T> | undefined,
  rows: readonly number[],
): void {
  const expected = 'be a class for every row, as an index or one-hot';
  const hint = 'exclude rows without a class by IGNORE_INDEX or a mask';
  if (labels === undefined) {
    if (rows.length === 0) return;
    refuse('LABEL_REQUIRED', operation, 'labels', expected, 'none', { hint });
  }
  const classes = classesOf(labels, rows);
  const row = classes
    ? rows.find((kept) => classes[kept] === UNLABELED)
    : rows.find((kept) => classesOf(labels, [kept]) === undefined);
  if (row === undefined) return;
  const received = classes ? `UNLABELED (${UNLABELED})` : 'a row that is not one-hot';
  refuse('LABEL_REQUIRED', operation, 'labels', expected, received, { row, hint });
}

/** Throws unless the row is a probability distribution: every element ≥ 0, with the sum 1. */
export function checkDistribution(
  operation: string,
  argument: string,
  matrix: Matrix<FloatArray>,
  row: number,
): void {
  const largest = 1 + SUM_TOLERANCE;
  const sum = checkProbabilities(operation, argument, matrix, row, largest, 'NOT_A_DISTRIBUTION');
  if (Math.abs(sum - 1) <= SUM_TOLERANCE) return;
  const expected = `sum to 1 (±${SUM_TOLERANCE})`;
  refuse('NOT_A_DISTRIBUTION', operation, argument, expected, String(sum), { row });
}

/** Throws unless every element of the row is in [0, `largest`]; returns the sum of the row. */
export function checkProbabilities(
  operation: string,
  argument: string,
  { data, columns }: Matrix<FloatArray>,
  row: number,
  largest = 1,
  code: DistillationErrorCode = 'OUT_OF_RANGE',
): number {
  let sum = 0;
  for (let column = 0; column < columns; column++) {
    const value = data[row * columns + column]!;
    if (!(value >= 0 && value <= largest)) {
      const expected = 'be a probability in [0, 1]';
      const why = Number.isFinite(value) ? code : 'NOT_FINITE';
      refuse(why, operation, argument, expected, String(value), { row, column });
    }
    sum += value;
  }
  return sum;
}
