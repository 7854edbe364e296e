import { allocate } from './allocate.js';
import { checkNumeric, checkValue, convert } from './convert.js';
import { checkIndex, checkInteger, refuse, throwShape, throwType } from './errors.js';
import { matrixHint } from './hints.js';
import { type FloatArray, float32, type NumericTrait, traitOf } from './numeric.js';
import { type RuntimeTensor, readTensor, type TensorLike } from './tensor.js';

/**
 * A row-major, contiguous matrix over a `Float32Array` or a `Float64Array`.
 *
 * A matrix is a view: `new Matrix(data, rows, columns)` wraps `data` and copies nothing, so that writing to
 * one shows in the other. Rows are samples (or tokens, queries, …), columns are classes or features.
 *
 * @example
 * import { float64, Matrix } from 'knowledge-distillation';
 *
 * const logits = Matrix.fromRows([[1, 2, 3], [4, 5, 6]]);      // Matrix<Float32Array>, 2 × 3
 * const wrapped = new Matrix(new Float64Array(6), 2, 3);       // Matrix<Float64Array>, no copy
 * console.log(logits.get(1, 0), logits.as(float64).row(0), wrapped.toRows());
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
   * @throws {DistillationError} where the length of `data` is not `rows × columns`
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
  }

  /** A matrix of zeros; float32 unless `numeric` says otherwise. */
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
   * A matrix from rows of equal length, copied; float32 unless `numeric` says otherwise.
   *
   * @throws {DistillationError} for no rows, rows of unequal length, and finite values that `numeric` cannot hold
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
    const operation = 'Matrix.fromRows';
    if (!Array.isArray(rows)) throwType(operation, 'rows', 'be an array of rows', rows);
    if (rows[0]?.length === undefined) {
      const received = rows.length === 0 ? 'none' : String(rows[0]);
      refuse('EMPTY', operation, 'rows', 'hold at least one row of numbers', received);
    }
    const { length: columns } = rows[0];
    const matrix = zeroMatrix(operation, { rows: rows.length, columns }, numeric);
    for (let row = 0; row < rows.length; row++) {
      const values = rows[row]!;
      if (values?.length !== columns) {
        throwShape(
          operation,
          `rows[${row}]`,
          [values?.length],
          [matrix.columns],
          'the length of rows[0]',
        );
      }
      for (let column = 0; column < matrix.columns; column++) {
        const value = checkValue(operation, matrix.numeric, row, column, values[column]);
        matrix.data[row * matrix.columns + column] = value;
      }
    }
    return matrix;
  }

  /**
   * A view on a tensor of onnxruntime, transformers.js, TensorFlow.js … : `{ data, dims }` or `{ data, shape }`.
   * A rank above 2 flattens to `[product of the leading dimensions, last dimension]`.
   *
   * @throws {TypeError} where `data` is no float array (int64, a method that has yet to be called), and for half precision
   *   without `numeric`
   * @throws {DistillationError} for a rank below 2, and where `data` does not fill the dimensions
   */
  static fromTensor<T extends FloatArray>(tensor: TensorLike<T>): Matrix<T>;
  /**
   * The same, where types do not tell the number format of the tensor, or it is another: a matrix in the format `numeric`.
   *
   * @param numeric - a tensor in this format is not copied; one in the other is, and so is one in half precision, which has to
   *   be decoded: a `Float16Array`, or a `Uint16Array` of bits where the tensor's `type` is `'float16'`
   * @throws {DistillationError} also for a finite value that `numeric` cannot hold
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
   * One row for each class index: 1 in that column, 0 elsewhere; float32 unless `numeric` says otherwise.
   *
   * @param classes - indices in [0, columns); rows without a label need index labels (an `Int32Array`) instead
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
    const operation = 'Matrix.oneHot';
    const length: unknown = classes?.length;
    if (typeof length !== 'number') {
      throwType(operation, 'classes', 'be an array of class indices', classes);
    }
    const matrix = zeroMatrix(operation, { 'classes.length': length, columns }, numeric);
    for (let row = 0; row < length; row++) {
      checkIndex(operation, `classes[${row}]`, classes[row], columns);
      matrix.data[row * columns + classes[row]!] = 1;
    }
    return matrix;
  }

  /** Zeros in the shape and number format of this matrix. */
  zerosLike(): Matrix<T> {
    const { rows, columns, numeric } = this;
    return zeroMatrix('Matrix.zerosLike', { rows, columns }, numeric);
  }

  /** One value. */
  get(row: number, column: number): number {
    return this.data[this.#index('Matrix.get', row, column)]!;
  }

  /**
   * Writes one value.
   *
   * @throws {DistillationError} for a finite value that the number format cannot hold
   */
  set(row: number, column: number, value: number): void {
    const index = this.#index('Matrix.set', row, column);
    this.data[index] = checkValue('Matrix.set', this.numeric, row, column, value);
  }

  /** A view on one row: writing to it writes to the matrix. */
  row(index: number): T {
    const start = this.#index('Matrix.row', index, 0);
    return this.data.subarray(start, start + this.columns) as T;
  }

  /** The values as an array of rows, copied. */
  toRows(): number[][] {
    return Array.from({ length: this.rows }, (_, row) => Array.from(this.row(row)));
  }

  /** A copy. */
  clone(): Matrix<T> {
    return this.as(this.numeric);
  }

  /**
   * A copy in another number format, each value rounded to the nearest.
   *
   * @throws {DistillationError} for a finite value that the format cannot hold
   */
  as<U extends FloatArray>(numeric: NumericTrait<U>): Matrix<U> {
    checkNumeric('Matrix.as', numeric);
    checkMatrix('Matrix.as', 'matrix', this);
    return new Matrix(convert('Matrix.as', this, numeric), this.rows, this.columns);
  }

  #index(operation: string, row: number, column: number): number {
    const { length } = this.data; // 0 once the buffer was transferred
    const expected = this.rows * this.columns;
    if (length !== expected) throwShape(operation, 'data', [length], [expected], 'rows × columns');
    checkIndex(operation, 'row', row, this.rows);
    checkIndex(operation, 'column', column, this.columns);
    return row * this.columns + column;
  }
}

/**
 * Allocates a matrix of zeros for the call of an operation.
 *
 * @param sizes - the arguments that give the rows and the columns, in this order, by name
 * @throws {DistillationError} OUT_OF_RANGE for a size that is no integer in range, and for more elements than the
 *   engine can allocate
 */
export function zeroMatrix<T extends FloatArray>(
  operation: string,
  sizes: Readonly<Record<string, number>>,
  numeric: NumericTrait<T>,
): Matrix<T> {
  const shape = Object.entries(sizes).map(([name, size], i) =>
    checkInteger(operation, name, size, i),
  );
  checkNumeric(operation, numeric);
  const data = allocate(operation, sizes, (length) => numeric.allocate(length));
  return new Matrix(data, shape[0]!, shape[1]!);
}

/** Throws unless `value` is a matrix whose data are there. */
export function checkMatrix(
  operation: string,
  argument: string,
  value: Matrix<FloatArray>,
  expected = 'be a Matrix',
  hint?: string,
): void {
  // By structure, not by class: a program may hold two copies of the library, one for import, one for require.
  if (value?.numeric?.dtype === undefined || !ArrayBuffer.isView(value.data)) {
    throwType(operation, argument, expected, value, hint ?? matrixHint(argument, value));
  }
  const { data, rows, columns } = value;
  if (data.length === rows * columns) return; // it is 0 once the buffer was transferred
  throwShape(operation, `${argument}.data`, [data.length], [rows * columns], 'its shape');
}
