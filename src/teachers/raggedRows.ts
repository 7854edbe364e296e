import { Matrix } from '../core/matrix.js';
import type { FloatArray, NumericTrait } from '../core/numeric.js';

/** The index at a position of a sparse row that holds no class. */
export const NO_CLASS = -1;

/** One row of a sparse teacher: the classes that it keeps. */
export interface SparseRow {
  /** The kept classes, each once. */
  readonly classes: ArrayLike<number>;
  /** log p of each kept class. */
  readonly logProbabilities: ArrayLike<number>;
  /** log of the total probability of all other classes. */
  readonly logTail: number;
}

/** A row that a strategy refuses unless the row is excluded. */
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

/** Packs rows into arrays as wide as the longest row. Shorter rows are padded with `NO_CLASS`. */
export function packRows<T extends FloatArray>(
  rows: readonly SparseRow[],
  numeric: NumericTrait<T>,
): PackedRows<T> {
  const { length } = rows;
  const k = rows.reduce((width, { classes }) => Math.max(width, classes.length), 1);
  const indices = new Int32Array(length * k).fill(NO_CLASS);
  const values = numeric.allocate(length * k);
  values.fill(-Infinity); // padding is never read; users of `values` see probability 0
  const logTail = numeric.allocate(length);
  for (const [row, kept] of rows.entries()) {
    indices.set(kept.classes, row * k);
    values.set(kept.logProbabilities, row * k);
    logTail[row] = kept.logTail;
  }
  return { indices, logProbabilities: new Matrix(values, length, k), logTail };
}
