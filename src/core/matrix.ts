import { allocate } from './allocate.js';
import { type MatrixContent, readClasses, readRows, zeroContent } from './content.js';
import { checkNumeric, checkValue, convert } from './convert.js';
import { checkIndex, checkInteger, checkNumber, throwShape, throwType } from './errors.js';
import { matrixHint } from './hints.js';
import { inspectAsMatrix } from './inspect.js';
import { type MatrixJSON, readJSON, writeJSON } from './json.js';
import { type FloatArray, float32, type NumericTrait, traitOf } from './numeric.js';
import { type RuntimeTensor, readTensor, type TensorLike } from './tensor.js';

/**
 * A row-major, contiguous matrix over a `Float32Array` or a `Float64Array`.
 *
 * A matrix is a view: `new Matrix(data, rows, columns)` wraps `data` without a copy, and a write to
 * one shows in the other. Rows are samples (or tokens, queries, …), columns are classes or
 * features.
 *
 * @example
 * import { float64, Matrix } from 'knowledge-distillation';
 *
 * const logits = Matrix.fromRows([[1, 2, 3], [4, 5, 6]]);      // Matrix<Float32Array>, 2 × 3
 * const wrapped = new Matrix(new Float64Array(6), 2, 3);       // Matrix<Float64Array>, no copy
 * console.log(logits.get(1, 0), logits.as(float64).row(0), wrapped.toRows());
 * const batch = logits.gatherRows([1, 0, 1]);                  // a copy, 3 × 3
 * console.log(batch.rowRange(0, 2)); // a view: Matrix 2 × 3 float32 [ [ 4, 5, 6 ], [ 1, 2, 3 ] ]
 */
export class Matrix<T extends FloatArray = Float32Array> {
  readonly data: T;
  readonly rows: number;
  readonly columns: number;
  readonly numeric: NumericTrait<T>;

  /**
   * @param data - `rows × columns` values, row after row; kept, not copied
   * @param rows - ≥ 0
   * @param columns - ≥ 1
   * @throws {DistillationError} SHAPE_MISMATCH if the length of `data` is not `rows × columns`
   */
  constructor(data: T, rows: number, columns: number) {
    const numeric = traitOf(data);
    if (numeric === undefined) {
      throwType('Matrix', 'data', 'be a Float32Array or a Float64Array', data);
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
   * @throws {DistillationError} OUT_OF_RANGE for a size that is no integer in range, and for more
   *   elements than the engine can allocate
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
   * Wraps a tensor of onnxruntime, transformers.js, TensorFlow.js …, `{ data, dims }` or `{ data,
   * shape }`, without a copy. A rank above 2 flattens to `[product of the leading dimensions, last
   * dimension]`.
   *
   * @throws {TypeError} if `data` is no float array (int64, a method that was not called), or half
   *   precision
   * @throws {DistillationError} SHAPE_MISMATCH for a rank below 2, and if `data` does not fill the
   *   dimensions
   */
  static fromTensor<T extends FloatArray>(tensor: TensorLike<T>): Matrix<T>;
  /**
   * Reads a tensor whose number format is not known to TypeScript, or is not the one that is
   * needed.
   *
   * @param numeric - the format of the matrix. A tensor in this format is not copied. A tensor in
   *   another format is: half precision is a `Float16Array`, or a `Uint16Array` of bits with the
   *   tensor's `type` `'float16'`
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
   * @param classes - indices in [0, columns). For rows without a label, pass indices as labels (an
   *   `Int32Array`) instead
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
   * Reads what {@link toJSON} returned, after `JSON.parse`. All values come back bit by bit. The
   * matrix was in float32 or, with `numeric`, in another format.
   *
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

  /** Creates zeros in the shape and number format of this matrix. */
  zerosLike(): Matrix<T> {
    const { rows, columns, numeric } = this;
    const sizes = { rows, columns };
    const data = allocate('Matrix.zerosLike', sizes, (length) => numeric.allocate(length));
    return new Matrix(data, rows, columns);
  }

  /** Returns one element. */
  get(row: number, column: number): number {
    return this.data[this.#index('Matrix.get', row, column)]!;
  }

  /**
   * Writes one element.
   *
   * @throws {DistillationError} OUT_OF_RANGE for a finite value that the number format cannot hold
   */
  set(row: number, column: number, value: number): void {
    const index = this.#index('Matrix.set', row, column);
    this.data[index] = checkValue('Matrix.set', this.numeric, row, column, value);
  }

  /** Returns a view on one row: a write to it changes the matrix. */
  row(index: number): T {
    const start = this.#index('Matrix.row', index, 0);
    return this.data.subarray(start, start + this.columns) as T;
  }

  /**
   * Returns a view on the rows from `start` up to, not including, `end`: a write to it changes the
   * matrix.
   *
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
    const operation = 'Matrix.gatherRows';
    const { rows, columns, numeric } = this;
    const length: unknown = indices?.length;
    if (typeof length !== 'number') {
      throwType(operation, 'indices', 'be an array of row indices', indices);
    }
    const gathered = zeroMatrix(operation, { 'indices.length': length, columns }, numeric);
    for (let i = 0; i < length; i++) {
      checkIndex(operation, `indices[${i}]`, indices[i], rows);
      gathered.data.set(this.row(indices[i]!), i * columns);
    }
    return gathered;
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
   * @throws {DistillationError} OUT_OF_RANGE for a finite value that the format cannot hold
   */
  as<U extends FloatArray>(numeric: NumericTrait<U>): Matrix<U> {
    checkNumeric('Matrix.as', numeric);
    checkMatrix('Matrix.as', 'matrix', this);
    return new Matrix(convert('Matrix.as', this, numeric), this.rows, this.columns);
  }

  #index(operation: string, row: number, column: number): number {
    const { length } = this.data; // 0 after the buffer was transferred
    const expected = this.rows * this.columns;
    if (length !== expected) throwShape(operation, 'data', [length], [expected], 'rows × columns');
    checkIndex(operation, 'row', row, this.rows);
    checkIndex(operation, 'column', column, this.columns);
    return row * this.columns + column;
  }
}

function matrixOf<T extends FloatArray>({ data, rows, columns }: MatrixContent<T>): Matrix<T> {
  return new Matrix(data, rows, columns);
}

/** Allocates a matrix of zeros as {@link zeroContent} does its content. */
export function zeroMatrix<T extends FloatArray>(
  operation: string,
  sizes: Readonly<Record<string, number>>,
  numeric: NumericTrait<T>,
): Matrix<T> {
  return matrixOf(zeroContent(operation, sizes, numeric));
}

/** Throws unless `value` is a matrix whose buffer was not transferred. */
export function checkMatrix(
  operation: string,
  argument: string,
  value: Matrix<FloatArray>,
  expected = 'be a Matrix',
  hint?: string,
): void {
  // By structure, not by class: a program may hold two copies of the library, ESM and CommonJS.
  if (value?.numeric?.dtype === undefined || !ArrayBuffer.isView(value.data)) {
    throwType(operation, argument, expected, value, hint ?? matrixHint(argument, value));
  }
  const { data, rows, columns } = value;
  if (data.length === rows * columns) return; // the length is 0 after the buffer was transferred
  throwShape(operation, `${argument}.data`, [data.length], [rows * columns], 'its shape');
}
