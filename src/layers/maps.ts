// Linear maps of rows, with the adjoint that maps a gradient back: for layers of different sizes,
// and for several layers.

import { checkDtype, checkParts, checkShape } from '../core/checks.js';
import { checkInteger, checkNumber, checkOptions } from '../core/errors.js';
import { mapRows } from '../core/mapRows.js';
import { checkMatrix, type Matrix, zeroMatrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import {
  averageBlocks,
  averageBlocksAdjoint,
  type Pooling,
  pool,
  poolAdjoint,
  spansOver,
} from '../kernels/rows/pooling.js';

/** A linear map of every row of a matrix, with its adjoint. */
export interface RowMap {
  /**
   * Maps every row of a matrix.
   *
   * @param matrix - any number of rows, with the columns that the map takes
   * @returns a new matrix
   */
  apply<T extends FloatArray>(matrix: Matrix<T>): Matrix<T>;
  /**
   * Maps d loss / d apply(matrix) to d loss / d matrix.
   *
   * @param gradient - in the shape of `apply(matrix)`
   * @returns a new matrix
   */
  adjoint<T extends FloatArray>(gradient: Matrix<T>): Matrix<T>;
}

/** Height and width of a feature map, ≥ 1. */
export interface MapSize {
  readonly height: number;
  readonly width: number;
}

/**
 * Pools feature maps to another height and width by the mean over windows.
 *
 * The window of the position (i, j) has rows ⌊i · H / h⌋ to ⌈(i + 1) · H / h⌉ − 1 and columns
 * ⌊j · W / w⌋ to ⌈(j + 1) · W / w⌉ − 1. These are the windows of PyTorch's `adaptive_avg_pool2d`.
 * Sums are in double.
 *
 * Pool the student or the teacher before a strategy that needs equal positions. If the student is
 * pooled, `adjoint` maps the gradient back to its own maps: ⟨apply(x), y⟩ = ⟨x, adjoint(y)⟩.
 *
 * @param from - size H × W of the maps that `apply` takes; its rows are laid out
 *   [channels][height][width], with any number of channels
 * @param to - size h × w of the maps that `apply` returns; values repeat if it is larger
 * @returns the map, for matrices of both number formats
 * @throws {DistillationError} `OUT_OF_RANGE` for a size; `SHAPE_MISMATCH` for columns that are no
 *   whole number of maps
 *
 * @example
 * ```ts
 * import { Matrix, poolPositions } from 'knowledge-distillation';
 *
 * const pool = poolPositions({ height: 2, width: 3 }, { height: 1, width: 3 });
 * const pooled = pool.apply(Matrix.fromRows([[1, 2, 3, 5, 6, 7]]));
 * console.log(pooled.toRows()); // [ [ 3, 4, 5 ] ]
 * console.log(pool.adjoint(pooled).toRows()); // [ [ 1.5, 2, 2.5, 1.5, 2, 2.5 ] ]
 * ```
 */
export function poolPositions(from: MapSize, to: MapSize): RowMap {
  const operation = 'poolPositions';
  checkSize(operation, 'from', from);
  checkSize(operation, 'to', to);
  let pooling: Pooling | undefined;
  // Computed with the first row: by then a size that is far too large has been refused.
  const windows = (): Pooling => {
    pooling ??= {
      height: from.height,
      width: from.width,
      rowSpans: spansOver(from.height, to.height),
      columnSpans: spansOver(from.width, to.width),
    };
    return pooling;
  };
  const positions = from.height * from.width;
  const pooledPositions = to.height * to.width;
  return {
    apply(matrix) {
      const method = `${operation}.apply`;
      const channels = checkParts(method, 'matrix', matrix, positions, 'channels');
      return mapRows(method, matrix, channels * pooledPositions, (offset, row) =>
        pool(matrix.data, offset, windows(), row),
      );
    },
    adjoint(gradient) {
      const method = `${operation}.adjoint`;
      const channels = checkParts(method, 'gradient', gradient, pooledPositions, 'channels');
      return mapRows(method, gradient, channels * positions, (offset, row) =>
        poolAdjoint(gradient.data, offset, windows(), row),
      );
    },
  };
}

/**
 * Averages over attention heads, for a student and a teacher with different numbers of heads.
 *
 * ```math
 * y_k = mean_h(x_(h,k))
 * ```
 *
 * `apply` takes rows laid out [heads][keys], the attention of one query in all heads. It also takes
 * rows laid out [heads][queries][keys], the attention of one sample: a tensor [batch, heads,
 * queries, keys] as `new Matrix(data, batch, heads · queries · keys)`. In that case, pass
 * `new Matrix(averaged.data, batch · queries, keys)` to a strategy.
 *
 * The mean of distributions is a distribution. A score of −Infinity in any head is −Infinity in the
 * mean. `adjoint` maps the gradient of a student back to its heads: ⟨apply(x), y⟩ = ⟨x,
 * adjoint(y)⟩. Sums are in double.
 *
 * @param heads - number of heads, ≥ 1
 * @returns the map, for matrices of both number formats
 * @throws {DistillationError} `OUT_OF_RANGE` for `heads`; `SHAPE_MISMATCH` for columns that the
 *   heads do not divide
 *
 * @example
 * ```ts
 * import { AttentionDistillationStrategy, averageHeads, Matrix } from 'knowledge-distillation';
 *
 * const student = Matrix.fromRows([[0.5, 0.5, 0.1, 0.9]]); // 2 heads × 2 keys
 * const teacher = Matrix.fromRows([[1, 0, 0.25, 0.75, 0.5, 0.5]]); // 3 heads × 2 keys
 * const heads = averageHeads(2);
 * const [studentMean, teacherMean] = [heads.apply(student), averageHeads(3).apply(teacher)];
 * const gradient = new AttentionDistillationStrategy().computeGradient(studentMean, teacherMean);
 * console.log(studentMean.columns, heads.adjoint(gradient).columns); // 2 4
 * ```
 */
export function averageHeads(heads: number): RowMap {
  const operation = 'averageHeads';
  checkInteger(operation, 'heads', heads, 1);
  return {
    apply(matrix) {
      const method = `${operation}.apply`;
      const keys = checkParts(method, 'matrix', matrix, heads, 'keys');
      return mapRows(method, matrix, keys, (offset, row) =>
        averageBlocks(matrix.data, offset, heads, row),
      );
    },
    adjoint(gradient) {
      const method = `${operation}.adjoint`;
      checkMatrix(method, 'gradient', gradient);
      return mapRows(method, gradient, heads * gradient.columns, (offset, row) =>
        averageBlocksAdjoint(gradient.data, offset, heads, row),
      );
    },
  };
}

/**
 * Puts two matrices side by side: each row of the second follows the row of the first. It serves
 * losses of two layers, such as {@link FlowDistillationStrategy}; {@link splitColumns} divides the
 * gradient again.
 *
 * @param first - any values, shape [rows, columns of the first]
 * @param second - any values, the same number of rows and the same number format
 * @returns a new matrix, shape [rows, columns of both]
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`
 *
 * @example
 * ```ts
 * import { concatenateColumns, Matrix } from 'knowledge-distillation';
 *
 * const both = concatenateColumns(Matrix.fromRows([[1, 2]]), Matrix.fromRows([[3]]));
 * console.log(both.toRows()); // [ [ 1, 2, 3 ] ]
 * ```
 */
export function concatenateColumns<T extends FloatArray>(
  first: Matrix<T>,
  second: Matrix<T>,
): Matrix<T> {
  const operation = 'concatenateColumns';
  checkMatrix(operation, 'first', first);
  checkMatrix(operation, 'second', second);
  checkDtype(operation, 'second', second, first);
  checkShape(operation, 'second', second, [first.rows, second.columns], 'the rows of first');
  const { rows, columns, numeric } = first;
  const sizes = { rows, columns: columns + second.columns };
  const both = zeroMatrix(operation, sizes, numeric);
  for (let row = 0; row < rows; row++) {
    const target = both.row(row);
    target.set(first.row(row));
    target.set(second.row(row), columns);
  }
  return both;
}

/**
 * Divides a matrix into its first columns and its other columns: the inverse of
 * {@link concatenateColumns}.
 *
 * @param matrix - any values, at least two columns
 * @param columns - number of columns of the first part, in [1, columns of the matrix)
 * @returns two new matrices
 * @throws {DistillationError} `OUT_OF_RANGE` for `columns`
 *
 * @example
 * ```ts
 * import { Matrix, splitColumns } from 'knowledge-distillation';
 *
 * const [first, second] = splitColumns(Matrix.fromRows([[1, 2, 3]]), 2);
 * console.log(first.toRows(), second.toRows()); // [ [ 1, 2 ] ] [ [ 3 ] ]
 * ```
 */
export function splitColumns<T extends FloatArray>(
  matrix: Matrix<T>,
  columns: number,
): [Matrix<T>, Matrix<T>] {
  const operation = 'splitColumns';
  checkMatrix(operation, 'matrix', matrix);
  const all = matrix.columns;
  const inRange = (value: number) => Number.isSafeInteger(value) && value >= 1 && value < all;
  checkNumber(operation, 'columns', columns, `be an integer in [1, ${all})`, inRange);
  const part = (from: number, to: number) =>
    mapRows(operation, matrix, to - from, (offset, row) =>
      row.set(matrix.data.subarray(offset + from, offset + to)),
    );
  return [part(0, columns), part(columns, all)];
}

function checkSize(operation: string, argument: string, size: MapSize): void {
  checkOptions(operation, argument, size, ['height', 'width'], ['height', 'width']);
  checkInteger(operation, `${argument}.height`, size.height, 1);
  checkInteger(operation, `${argument}.width`, size.width, 1);
}
