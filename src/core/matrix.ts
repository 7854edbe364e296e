import { checkIndex, checkInteger, refuse, throwShape, throwType } from './errors.js';
import { decodeHalf } from './half.js';
import { type FloatArray, float32, type NumericTrait, traitOf, typeTag } from './numeric.js';

/** What inference runtimes return: flat data with its dimensions, named `dims` or `shape`. */
export type TensorLike<T extends FloatArray> = RuntimeTensor & { readonly data: T };

/** The same where types do not tell of what its data are, as onnxruntime and transformers.js declare their outputs. */
export type RuntimeTensor = { readonly data: ArrayLike<unknown>; readonly type?: string } & (
  | { readonly dims: readonly number[] }
  | { readonly shape: readonly number[] }
);

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
    checkInteger('Matrix.zeros', 'rows', rows, 0);
    checkInteger('Matrix.zeros', 'columns', columns, 1);
    checkNumeric('Matrix.zeros', numeric);
    return new Matrix(numeric.allocate(rows * columns), rows, columns);
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
    const columns: unknown = rows[0]?.length;
    if (columns === undefined) {
      const received = rows.length === 0 ? 'none' : String(rows[0]);
      refuse('EMPTY', operation, 'rows', 'hold at least one row of numbers', received);
    }
    const matrix = Matrix.zeros(
      rows.length,
      checkInteger(operation, 'columns', columns, 1),
      numeric,
    );
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
        store(operation, matrix, row, column, values[column]);
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
    if (typeof tensor !== 'object' || tensor === null) {
      throwType(operation, 'tensor', 'be { data, dims } or { data, shape }', tensor);
    }
    if (numeric !== undefined) checkNumeric(operation, numeric);
    const dims = 'dims' in tensor ? tensor.dims : tensor.shape;
    if (!Array.isArray(dims)) {
      throwType(operation, 'tensor', 'have dims or shape, an array of dimensions', dims);
    }
    const data = floatsOf(operation, tensor, numeric);
    if (dims.length < 2) {
      throwShape(operation, 'tensor', dims, [1, dims[0] ?? 1], 'rank 2 or more');
    }
    for (const [index, size] of dims.entries()) checkInteger(operation, `dims[${index}]`, size, 0);
    const columns = checkInteger(operation, `dims[${dims.length - 1}]`, dims.at(-1), 1);
    const rows = dims.slice(0, -1).reduce((product, size) => product * size, 1);
    if (data.length !== rows * columns) {
      throwShape(operation, 'tensor.data', [data.length], [rows * columns], 'its dims');
    }
    const matrix = new Matrix(data, rows, columns);
    return numeric === undefined || numeric.dtype === matrix.numeric.dtype
      ? matrix
      : converted(operation, matrix, numeric);
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
    checkInteger(operation, 'columns', columns, 1);
    const matrix = Matrix.zeros(length, columns, numeric);
    for (let row = 0; row < length; row++) {
      checkIndex(operation, `classes[${row}]`, classes[row], columns);
      matrix.data[row * columns + classes[row]!] = 1;
    }
    return matrix;
  }

  /** Zeros in the shape and number format of this matrix. */
  zerosLike(): Matrix<T> {
    return new Matrix(this.numeric.allocate(this.data.length), this.rows, this.columns);
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
    this.#index('Matrix.set', row, column);
    store('Matrix.set', this, row, column, value);
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
    return converted('Matrix.as', this, numeric);
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

/** A copy in a number format; throws for a finite value that the format cannot hold. */
function converted<T extends FloatArray>(
  operation: string,
  matrix: Matrix<FloatArray>,
  numeric: NumericTrait<T>,
): Matrix<T> {
  const { rows, columns } = matrix;
  const data = numeric.from(matrix.data);
  for (let index = 0; index < data.length; index++) {
    const value = matrix.data[index]!;
    if (Number.isFinite(data[index]) || !Number.isFinite(value)) continue;
    throwUnrepresentable(operation, numeric, Math.floor(index / columns), index % columns, value);
  }
  return new Matrix(data, rows, columns);
}

/** The data of a tensor, decoded where they are in half precision and a number format is asked for. */
function floatsOf(
  operation: string,
  { data, type }: RuntimeTensor,
  numeric: NumericTrait<FloatArray> | undefined,
): FloatArray {
  if (traitOf(data) !== undefined) return data as FloatArray; // as traitOf saw
  const tag = typeTag(data);
  const isBits = tag === 'Uint16Array' && type === 'float16';
  const isHalf = isBits || tag === 'Float16Array';
  if (isHalf && numeric !== undefined) {
    return isBits ? decodeHalf(data as Uint16Array) : Float32Array.from(data as ArrayLike<number>);
  }
  const hint = isHalf
    ? 'half precision is decoded into a copy by fromTensor(tensor, float32)'
    : conversionOf(data, type);
  throwType(operation, 'tensor.data', 'be a Float32Array or a Float64Array', data, hint);
}

/** How to make floats of what is none. */
function conversionOf(data: unknown, type: string | undefined): string | undefined {
  if (typeof data === 'function') {
    return 'call it first: { data: await tensor.data(), shape: tensor.shape }';
  }
  if (!ArrayBuffer.isView(data)) return undefined;
  const tag = typeTag(data);
  const isUntold = tag === 'Uint16Array' && type === undefined;
  const half = isUntold ? "; bits of half precision need type: 'float16'" : '';
  return `convert it first: Float32Array.from(data${tag.startsWith('Big') ? ', Number' : ''})${half}`;
}

export function checkNumeric(operation: string, numeric: NumericTrait<FloatArray>): void {
  if (typeof numeric?.allocate === 'function') return;
  throwType(operation, 'numeric', 'be float32 or float64, the objects', numeric);
}

/** The number format that an option asks for; where it is left out T is Float32Array. */
export function readNumeric<T extends FloatArray>(
  operation: string,
  numeric: NumericTrait<T> | undefined,
): NumericTrait<T> {
  const trait = (numeric === undefined ? float32 : numeric) as NumericTrait<T>;
  checkNumeric(operation, trait);
  return trait;
}

function store(
  operation: string,
  matrix: Matrix<FloatArray>,
  row: number,
  column: number,
  value: unknown,
): void {
  if (typeof value !== 'number') {
    throwType(operation, `row ${row}, column ${column}`, 'be a number', value);
  }
  if (Number.isFinite(value) && !Number.isFinite(matrix.numeric.round(value))) {
    throwUnrepresentable(operation, matrix.numeric, row, column, value);
  }
  matrix.data[row * matrix.columns + column] = value;
}

function throwUnrepresentable(
  operation: string,
  numeric: NumericTrait<FloatArray>,
  row: number,
  column: number,
  value: number,
): never {
  const expected = `be at most ${numeric.largest}, the largest ${numeric.dtype}`;
  refuse(
    'OUT_OF_RANGE',
    operation,
    'value',
    expected,
    String(value),
    { row, column },
    'use float64',
  );
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
    throwType(operation, argument, expected, value, hint);
  }
  const { data, rows, columns } = value;
  if (data.length === rows * columns) return; // it is 0 once the buffer was transferred
  throwShape(operation, `${argument}.data`, [data.length], [rows * columns], 'its shape');
}
