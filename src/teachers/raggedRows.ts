import { Matrix } from '../core/matrix.js';
import type { FloatArray, NumericTrait } from '../core/numeric.js';

/** The index of an entry without a class. */
export const NO_CLASS = -1;

/** What one row of a sparse teacher keeps. */
export interface SparseRow {
  /** Each class once. */
  readonly classes: ArrayLike<number>;
  /** log p of each of these classes. */
  readonly logProbabilities: ArrayLike<number>;
  /** log of the probability of all other classes together. */
  readonly logTail: number;
}

/** A row that a strategy refuses, unless it is excluded. */
export const UNUSABLE_ROW: SparseRow = {
  classes: [0],
  logProbabilities: [Number.NaN],
  logTail: -Infinity,
};

/** The arrays of a sparse teacher. */
interface PackedRows<T extends FloatArray> {
  readonly indices: Int32Array;
  readonly logProbabilities: Matrix<T>;
  readonly logTail: T;
}

/** Packs rows into arrays as wide as the longest row; shorter rows are filled up. */
export function packRows<T extends FloatArray>(
  rows: readonly SparseRow[],
  numeric: NumericTrait<T>,
): PackedRows<T> {
  const { length } = rows;
  const k = rows.reduce((most, { classes }) => Math.max(most, classes.length), 1);
  const indices = new Int32Array(length * k).fill(NO_CLASS);
  const values = numeric.allocate(length * k);
  values.fill(-Infinity); // not read here; to others, no probability
  const logTail = numeric.allocate(length);
  for (const [row, kept] of rows.entries()) {
    indices.set(kept.classes, row * k);
    values.set(kept.logProbabilities, row * k);
    logTail[row] = kept.logTail;
  }
  return { indices, logProbabilities: new Matrix(values, length, k), logTail };
}
