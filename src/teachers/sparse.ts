import { checkClassCount } from '../core/checks.js';
import {
  checkInteger,
  checkOptions,
  checkPositive,
  refuse,
  throwShape,
  throwType,
} from '../core/errors.js';
import { SUM_TOLERANCE } from '../core/labels.js';
import { checkMatrix, Matrix } from '../core/matrix.js';
import { type FloatArray, type NumericTrait, typeTag } from '../core/numeric.js';
import { logSumExp } from '../kernels/rows/logSumExp.js';
import { soften } from '../kernels/rows/soften.js';
import { largestIndices } from '../kernels/rows/topK.js';

/** The index of an entry without a class. */
export const NO_CLASS = -1;

/** Options of {@link SparseTargets}, with either log-probabilities or logits. */
export interface SparseTargetsOptions<T extends FloatArray = Float32Array> {
  /**
   * The k classes of each row, row after row; each in [0, columns), no class twice in a row. −1 is
   * no class, and its value is not read: a row of fewer than k classes is filled up with it. Not
   * copied.
   */
  readonly indices: Int32Array;
  /** log p of these classes, shape [rows, k], by a softmax over all classes at `temperature`. */
  readonly logProbabilities?: Matrix<T> | undefined;
  /**
   * Or logits of these classes, shape [rows, k]; the probability of the other classes is then
   * unknown.
   */
  readonly logits?: Matrix<T> | undefined;
  /** Number of classes: the student's columns. */
  readonly columns: number;
  /** Temperature of the softmax of `logProbabilities`; 1. */
  readonly temperature?: number | undefined;
  /**
   * log of the probability of all other classes together, one per row. By default that probability
   * is 1 minus the sum of the given ones; it is 0 if the difference is below its rounding, k times
   * the spacing of the number format at 1. Not read for a row that keeps every class.
   */
  readonly logTail?: T | undefined;
}

/**
 * Holds a teacher whose rows keep only some of many classes, up to k. Use it for language models:
 * 64 of 150,000 classes take a thousandth of the memory.
 *
 * {@link ResponseDistillationStrategy}, {@link ReverseKLDistillationStrategy},
 * {@link JensenShannonDistillationStrategy}, {@link SkewKLDistillationStrategy},
 * {@link SkewReverseKLDistillationStrategy}, {@link TotalVariationDistillationStrategy} and every
 * other {@link DivergenceDistillationStrategyBase} take it as the teacher; their option `tail`
 * determines how the other classes count.
 *
 * @example
 * import { Matrix, ResponseDistillationStrategy, SparseTargets } from 'knowledge-distillation';
 *
 * const logits = Matrix.fromRows([[3, 1, 0, -1, -2], [0, 4, 2, 1, 0]]);
 * const teacher = SparseTargets.topK(logits, 2);
 * const strategy = new ResponseDistillationStrategy({ temperature: 1 });
 * const { loss, gradient } = strategy.computeLossAndGradient(Matrix.zeros(2, 5), teacher);
 */
export class SparseTargets<T extends FloatArray = Float32Array> {
  readonly indices: Int32Array;
  /** Log-probabilities or logits, shape [rows, k]. */
  readonly values: Matrix<T>;
  readonly kind: 'logProbabilities' | 'logits';
  readonly columns: number;
  readonly temperature: number;
  readonly logTail: T | undefined;

  /**
   * @throws {DistillationError} for arrays of different shapes; the values are checked when a
   *   strategy reads them
   */
  constructor(options: SparseTargetsOptions<T>) {
    const operation = 'SparseTargets';
    const known = ['indices', 'logProbabilities', 'logits', 'columns', 'temperature', 'logTail'];
    checkOptions(operation, 'options', options, known);
    const { indices, logProbabilities, logits, columns, temperature = 1, logTail } = options;
    const values = logProbabilities ?? logits;
    if (values === undefined || (logProbabilities !== undefined && logits !== undefined)) {
      const received = values === undefined ? 'neither' : 'both';
      refuse('MISPLACED_OPTION', operation, 'options', 'hold logProbabilities or logits', received);
    }
    this.kind = logProbabilities === undefined ? 'logits' : 'logProbabilities';
    checkMatrix(operation, this.kind, values);
    if (typeTag(indices) !== 'Int32Array')
      throwType(operation, 'indices', 'be an Int32Array', indices);
    if (indices.length !== values.data.length) {
      throwShape(
        operation,
        'indices',
        [indices.length],
        [values.data.length],
        `one for each of the ${this.kind}`,
      );
    }
    this.columns = checkInteger(operation, 'columns', columns, values.columns);
    this.temperature = checkPositive(operation, 'temperature', temperature);
    if (this.kind === 'logits') {
      for (const [name, value] of Object.entries({ temperature: options.temperature, logTail })) {
        if (value === undefined) continue;
        refuse('MISPLACED_OPTION', operation, name, 'come with logProbabilities', 'logits');
      }
    }
    if (logTail !== undefined) {
      if (typeTag(logTail) !== typeTag(values.data)) {
        throwType(operation, 'logTail', `be a ${typeTag(values.data)}`, logTail);
      }
      if (logTail.length !== values.rows) {
        throwShape(operation, 'logTail', [logTail.length], [values.rows], 'one for each row');
      }
    }
    this.indices = indices;
    this.values = values;
    this.logTail = logTail;
  }

  get rows(): number {
    return this.values.rows;
  }

  get numeric(): NumericTrait<T> {
    return this.values.numeric;
  }

  /**
   * Keeps the k largest logits of each row, the largest first, as log-probabilities at a
   * temperature, and the probability of the other classes together.
   *
   * @param logits - shape [rows, classes]
   * @param k - in [1, classes]
   * @param options - `temperature`: the temperature of the strategy that reads the targets; 1
   * @throws {DistillationError} OUT_OF_RANGE for `k` or the temperature
   */
  static topK<T extends FloatArray>(
    logits: Matrix<T>,
    k: number,
    options: { readonly temperature?: number } = {},
  ): SparseTargets<T> {
    const operation = 'SparseTargets.topK';
    checkMatrix(operation, 'logits', logits);
    const { rows, columns, numeric } = logits;
    checkClassCount(operation, 'k', k, columns);
    checkOptions(operation, 'options', options, ['temperature']);
    const { temperature = 1 } = options;
    checkPositive(operation, 'temperature', temperature);
    const indices = new Int32Array(rows * k);
    const logProbabilities = new Matrix(numeric.allocate(rows * k), rows, k);
    const logTail = numeric.allocate(rows);
    const x = new Float64Array(columns);
    const e = new Float64Array(columns);
    for (let row = 0; row < rows; row++) {
      soften(logits.data, row * columns, temperature, x);
      const total = logSumExp(x, 0, e);
      const best = indices.subarray(row * k, (row + 1) * k);
      largestIndices(x, best);
      for (const [i, index] of best.entries()) {
        logProbabilities.data[row * k + i] = x[index]! - total;
        x[index] = -Infinity;
      }
      logTail[row] = logSumExp(x, 0, e) - total;
    }
    return new SparseTargets({ indices, logProbabilities, columns, temperature, logTail });
  }

  /** @internal Whether a row keeps every class, or, without a row, all of them do. */
  keepsAll(row?: number): boolean {
    const { indices, columns } = this;
    const k = this.values.columns;
    if (k < columns) return false;
    const some = row === undefined ? indices : indices.subarray(row * k, (row + 1) * k);
    return !some.includes(NO_CLASS);
  }

  /**
   * @internal Throws for a kept row without a class, with a class out of range or twice, or with
   * probabilities that do not sum to 1 with the tail.
   */
  check(operation: string, rows: readonly number[]): void {
    const { indices, values, columns, kind } = this;
    const k = values.columns;
    const seenIn = new Int32Array(columns).fill(-1);
    for (const row of rows) {
      let sum = 0;
      let count = 0;
      for (let i = 0; i < k; i++) {
        const index = indices[row * k + i]!;
        if (index === NO_CLASS) continue;
        count++;
        if (!(index >= 0 && index < columns)) {
          const expected = `hold classes in [0, ${columns}), or −1 for none`;
          const received = String(index);
          refuse('OUT_OF_RANGE', operation, "teacher's indices", expected, received, {
            row,
            column: i,
          });
        }
        if (seenIn[index] === row) {
          const expected = 'hold each class once';
          const received = `${index} again`;
          refuse('OUT_OF_RANGE', operation, "teacher's indices", expected, received, {
            row,
            column: i,
          });
        }
        seenIn[index] = row;
        const value = values.data[row * k + i]!;
        if (!(value < Infinity)) {
          refuse('NOT_FINITE', operation, 'teacher', 'be finite', String(value), {
            row,
            column: i,
          });
        }
        sum += Math.exp(value);
      }
      if (count === 0) {
        const hint = 'exclude the row by IGNORE_INDEX or a mask';
        refuse('EMPTY', operation, 'teacher', 'keep at least one class', 'none', { row, hint });
      }
      if (kind === 'logits') continue;
      const isWhole = count === columns;
      if (!isWhole && this.logTail) sum += Math.exp(this.logTail[row]!);
      const mayBeLess = !isWhole && !this.logTail; // the tail takes the rest
      if (Math.abs(sum - 1) <= SUM_TOLERANCE || (mayBeLess && sum < 1)) continue;
      const expected = `hold log-probabilities that sum to 1 (±${SUM_TOLERANCE}) with the tail`;
      refuse('NOT_A_DISTRIBUTION', operation, 'teacher', expected, String(sum), { row });
    }
  }

  /** @internal Returns the log of the probability of all classes that a row does not keep. */
  tailOf(row: number): number {
    if (this.keepsAll(row)) return -Infinity;
    if (this.logTail) return this.logTail[row]!;
    const { data, columns: k, numeric } = this.values;
    let rest = 1;
    for (let i = row * k; i < (row + 1) * k; i++) {
      if (this.indices[i] !== NO_CLASS) rest -= Math.exp(data[i]!);
    }
    return rest > k * numeric.epsilon ? Math.log(rest) : -Infinity;
  }
}
