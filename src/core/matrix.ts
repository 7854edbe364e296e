import { allocate } from './allocate.js';
import {
  elementIndex,
  gatherContent,
  isMatrix,
  type MatrixContent,
  readClasses,
  readRows,
  zeroContent,
} from './content.js';
import { checkNumeric, checkValue, convert } from './convert.js';
import { checkInteger, checkNumber, throwShape, throwType } from './errors.js';
import { dataHint, type HintOf, matrixHint } from './hints.js';
import { inspectAsMatrix } from './inspect.js';
import { type MatrixJSON, readJSON, writeJSON } from './json.js';
import { type FloatArray, float32, type NumericTrait, traitOf } from './numeric.js';
import { FLOATS, type RuntimeTensor, readTensor, type TensorLike } from './tensor.js';

/**
 * Stores a row-major, contiguous matrix in a `Float32Array` or a `Float64Array`.
 *
 * A matrix is a view: `new Matrix(data, rows, columns)` wraps `data` without a copy. Rows are
 * samples (or tokens, queries, …), columns are classes or features.
 *
 * @example
 * ```ts
 * import { float64, Matrix } from 'knowledge-distillation';
 *
 * const logits = Matrix.fromRows([[1, 2, 3], [4, 5, 6]]); // copies; float32
 * console.log(logits.get(1, 0)); // 4
 * const wrapped = new Matrix(new Float64Array(6), 2, 3); // copies nothing; float64
 * console.log(wrapped.numeric === float64); // true
 * const batch = logits.gatherRows([1, 0, 1]); // a copy, 3 × 3
 * console.log(JSON.stringify(batch.rowRange(0, 2).toRows())); // [[4,5,6],[1,2,3]]
 * ```
 */
export class Matrix<T extends FloatArray = Float32Array> {
  /** Elements, row after row. */
  readonly data: T;
  readonly rows: number;
  readonly columns: number;
  /** Number format of the elements. */
  readonly numeric: NumericTrait<T>;

  /**
   * Wraps an array as a matrix, without a copy.
   *
   * @param data - `rows × columns` values, row after row
   * @param rows - number of rows, ≥ 0
   * @param columns - number of columns, ≥ 1
   * @throws {DistillationError} SHAPE_MISMATCH if the length of `data` is not `rows × columns`
   */
  constructor(data: T, rows: number, columns: number) {
    const numeric = traitOf(data);
    if (numeric === undefined) {
      throwType('Matrix', 'data', FLOATS, data, dataHint(data, columns));
    }
    checkInteger('Matrix', 'rows', rows, 0);
    checkInteger('Matrix', 'columns', columns, 1);
    if (data.length !== rows * columns) {
      throwShape('Matrix', 'data', [data.length], [rows * columns], 'rows × columns');
    }
    this.data = data;
    this.rows = rows;
    this.columns = columns;
    this.numeric = numeric as NumericTrait<T>; // traitOf looked at `data`
    inspectAsMatrix(Matrix.prototype);
  }

  /**
   * Creates a matrix of zeros in float32 or, with `numeric`, in another format.
   *
   * @param rows - number of rows, ≥ 0
   * @param columns - number of columns, ≥ 1
   * @throws {DistillationError} OUT_OF_RANGE for a size that is no integer in range, and for more
   * elements than the engine can allocate
   */
  static zeros(rows: number, columns: number): Matrix<Float32Array>;
  static zeros<T extends FloatArray>(
    rows: number,
    columns: number,
    numeric: NumericTrait<T>,
  ): Matrix<T>;
  static zeros(
    rows: number,
    columns: number,
    numeric: NumericTrait<FloatArray> = float32,
  ): Matrix<FloatArray> {
    return zeroMatrix('Matrix.zeros', { rows, columns }, numeric);
  }

  /**
   * Copies rows of equal length into a matrix in float32 or, with `numeric`, in another format.
   *
   * @param rows - at least one array of numbers
   * @throws {DistillationError} EMPTY without rows, SHAPE_MISMATCH for rows of unequal length,
   *   OUT_OF_RANGE for a finite value that the format cannot hold
   */
  static fromRows(rows: readonly ArrayLike<number>[]): Matrix<Float32Array>;
  static fromRows<T extends FloatArray>(
    rows: readonly ArrayLike<number>[],
    numeric: NumericTrait<T>,
  ): Matrix<T>;
  static fromRows(
    rows: readonly ArrayLike<number>[],
    numeric: NumericTrait<FloatArray> = float32,
  ): Matrix<FloatArray> {
    return matrixOf(readRows('Matrix.fromRows', rows, numeric));
  }

  /**
   * Wraps a tensor of an inference runtime (onnxruntime, transformers.js …) without a copy. A rank
   * above 2 flattens to `[product of the leading dimensions, last dimension]`.
   *
   * @param tensor - `{ data, dims }` or `{ data, shape }`
   * @throws {TypeError} if `data` is neither a `Float32Array` nor a `Float64Array`
   * @throws {DistillationError} SHAPE_MISMATCH for a rank below 2, and if `data` does not fill the
   *   dimensions
   */
  static fromTensor<T extends FloatArray>(tensor: TensorLike<T>): Matrix<T>;
  /**
   * Reads a tensor in another number format, or in one that TypeScript does not know.
   *
   * @param tensor - data in float32, float64 or half precision: a `Float16Array`, or a
   * `Uint16Array` of bits with the `type` `'float16'`
   * @param numeric - format of the matrix; a tensor in this format is not copied
   * @throws {DistillationError} also OUT_OF_RANGE for a finite value that `numeric` cannot hold
   */
  static fromTensor<T extends FloatArray>(
    tensor: RuntimeTensor,
    numeric: NumericTrait<T>,
  ): Matrix<T>;
  static fromTensor(tensor: RuntimeTensor, numeric?: NumericTrait<FloatArray>): Matrix<FloatArray> {
    const operation = 'Matrix.fromTensor';
    if (numeric !== undefined) checkNumeric(operation, numeric);
    const { data, rows, columns } = readTensor(operation, tensor, numeric);
    const matrix = new Matrix(data, rows, columns);
    return numeric === undefined || numeric.dtype === matrix.numeric.dtype
      ? matrix
      : new Matrix(convert(operation, matrix, numeric), rows, columns);
  }

  /**
   * Creates one row for each class index: 1 in the column of the class, 0 elsewhere. The matrix is
   * in float32 or, with `numeric`, in another format.
   *
   * @param classes - indices in [0, columns). For rows without a label, pass labels as an
   * `Int32Array` of class indices instead
   * @param columns - number of classes
   * @throws {DistillationError} OUT_OF_RANGE for an index outside [0, columns)
   */
  static oneHot(classes: ArrayLike<number>, columns: number): Matrix<Float32Array>;
  static oneHot<T extends FloatArray>(
    classes: ArrayLike<number>,
    columns: number,
    numeric: NumericTrait<T>,
  ): Matrix<T>;
  static oneHot(
    classes: ArrayLike<number>,
    columns: number,
    numeric: NumericTrait<FloatArray> = float32,
  ): Matrix<FloatArray> {
    return matrixOf(readClasses('Matrix.oneHot', classes, columns, numeric));
  }

  /**
   * Reads what {@link toJSON} returned, after `JSON.parse`. The values are the same, bit by bit.
   * The matrix was in float32 or, with `numeric`, in another format.
   *
   * @param json - the parsed object
   * @throws {DistillationError} DTYPE_MISMATCH for another format, SHAPE_MISMATCH for too few or
   * too many values, OUT_OF_RANGE for a size or a value, UNKNOWN_OPTION for another key
   * @throws {TypeError} for a part of another type
   */
  static fromJSON(json: unknown): Matrix<Float32Array>;
  static fromJSON<T extends FloatArray>(json: unknown, numeric: NumericTrait<T>): Matrix<T>;
  static fromJSON(json: unknown, numeric: NumericTrait<FloatArray> = float32): Matrix<FloatArray> {
    const hint = 'pass the number format that was written';
    return matrixOf(readJSON('Matrix.fromJSON', 'json', json, numeric, hint));
  }

  /** Creates a matrix of zeros with the shape and the number format of this matrix. */
  zerosLike(): Matrix<T> {
    const { rows, columns, numeric } = this;
    const sizes = { rows, columns };
    const data = allocate('Matrix.zerosLike', sizes, (length) => numeric.allocate(length));
    return new Matrix(data, rows, columns);
  }

  /** Returns one element. */
  get(row: number, column: number): number {
    return this.data[elementIndex('Matrix.get', this, row, column)]!;
  }

  /**
   * Writes one element.
   *
   * @throws {DistillationError} OUT_OF_RANGE for a finite value that the number format cannot hold
   */
  set(row: number, column: number, value: number): void {
    const index = elementIndex('Matrix.set', this, row, column);
    this.data[index] = checkValue('Matrix.set', this.numeric, row, column, value);
  }

  /** Returns a view on one row: a write to it changes the matrix. */
  row(index: number): T {
    const start = elementIndex('Matrix.row', this, index, 0);
    return this.data.subarray(start, start + this.columns) as T;
  }

  /**
   * Returns a view on a range of rows: a write to it changes the matrix.
   *
   * @param start - first row
   * @param end - the row after the last
   * @throws {DistillationError} OUT_OF_RANGE unless 0 ≤ `start` ≤ `end` ≤ rows
   */
  rowRange(start: number, end: number): Matrix<T> {
    const { rows, columns } = this;
    checkMatrix('Matrix.rowRange', 'matrix', this);
    const check = (name: string, value: number, least: number): void => {
      const inRange = (x: number) => Number.isInteger(x) && x >= least && x <= rows;
      checkNumber('Matrix.rowRange', name, value, `be an integer in [${least}, ${rows}]`, inRange);
    };
    check('start', start, 0);
    check('end', end, start);
    const data = this.data.subarray(start * columns, end * columns) as T;
    return new Matrix(data, end - start, columns);
  }

  /**
   * Copies rows into a new matrix, in the order of their indices; a row may be copied several
   * times. Use it for mini-batches.
   *
   * @param indices - one index in [0, rows) for each row of the result
   * @throws {DistillationError} OUT_OF_RANGE for an index
   */
  gatherRows(indices: ArrayLike<number>): Matrix<T> {
    return matrixOf(gatherContent('Matrix.gatherRows', this, indices, this.numeric));
  }

  /** Copies the elements into an array of rows. */
  toRows(): number[][] {
    return Array.from({ length: this.rows }, (_, row) => Array.from(this.row(row)));
  }

  /** Copies the matrix into plain data for `JSON.stringify`; {@link fromJSON} reads it. */
  toJSON(): MatrixJSON {
    checkMatrix('Matrix.toJSON', 'matrix', this);
    return writeJSON(this, this.numeric);
  }

  /** Copies the matrix. */
  clone(): Matrix<T> {
    return this.as(this.numeric);
  }

  /**
   * Copies the matrix into a number format; each value is rounded to the nearest.
   *
   * @param numeric - `float32` or `float64`
   * @throws {DistillationError} OUT_OF_RANGE for a finite value that the format cannot hold
   */
  as<U extends FloatArray>(numeric: NumericTrait<U>): Matrix<U> {
    checkNumeric('Matrix.as', numeric);
    checkMatrix('Matrix.as', 'matrix', this);
    return new Matrix(convert('Matrix.as', this, numeric), this.rows, this.columns);
  }
}

function matrixOf<T extends FloatArray>({ data, rows, columns }: MatrixContent<T>): Matrix<T> {
  return new Matrix(data, rows, columns);
}

/** Allocates a matrix of zeros; see {@link zeroContent}. */
export function zeroMatrix<T extends FloatArray>(
  operation: string,
  sizes: Readonly<Record<string, number>>,
  numeric: NumericTrait<T>,
): Matrix<T> {
  return matrixOf(zeroContent(operation, sizes, numeric));
}

/**
 * Throws unless `value` is a matrix whose buffer was not transferred.
 *
 * @param hintOf - makes the hint for another value; how to make a matrix of it by default
 */
export function checkMatrix(
  operation: string,
  argument: string,
  value: Matrix<FloatArray>,
  expected = 'be a Matrix',
  hintOf: HintOf = matrixHint,
): void {
  if (!isMatrix(value)) throwType(operation, argument, expected, value, hintOf(argument, value));
  const { data, rows, columns } = value;
  if (data.length === rows * columns) return; // the length is 0 after the buffer was transferred
  throwShape(operation, `${argument}.data`, [data.length], [rows * columns], 'its shape');
}
