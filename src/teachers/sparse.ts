import { checkClassCount } from '../core/checks.js';
import {
  checkInteger,
  checkOptions,
  checkPositive,
  refuse,
  throwShape,
  throwType,
} from '../core/errors.js';
import { inspectAsSparse } from '../core/inspect.js';
import { checkMatrix, Matrix } from '../core/matrix.js';
import { type FloatArray, type NumericTrait, typeTag } from '../core/numeric.js';
import { checkLogits } from '../core/probabilities.js';
import { logSumExp } from '../kernels/rows/logSumExp.js';
import { soften } from '../kernels/rows/soften.js';
import { largestIndices } from '../kernels/rows/topK.js';
import { type ClassProbabilities, type ProbabilityOptions, readTargets } from './probabilities.js';
import { NO_CLASS } from './raggedRows.js';
import { drawTargets, type SamplingOptions } from './sampling.js';
import type { SparseTargetsOptions } from './sparseOptions.js';

/**
 * Holds a sparse teacher: each row keeps at most k of many classes. Use it for language models: 64
 * of 150,000 classes take a thousandth of the memory.
 *
 * {@link ResponseDistillationStrategy} and every other {@link DivergenceDistillationStrategyBase}
 * take it as the teacher. Their option `tail` determines how the classes that a row does not keep
 * enter the loss.
 *
 * @example
 * ```ts
 * import { Matrix, ResponseDistillationStrategy, SparseTargets } from 'knowledge-distillation';
 *
 * const logits = Matrix.fromRows([[3, 1, 0, -1, -2], [0, 4, 2, 1, 0]]);
 * const teacher = SparseTargets.topK(logits, 2);
 * const strategy = new ResponseDistillationStrategy({ temperature: 1 });
 * console.log(strategy.computeLoss(Matrix.zeros(2, 5), teacher).toFixed(4)); // 0.9517
 * ```
 */
export class SparseTargets<T extends FloatArray = Float32Array> {
  /** The kept classes, shape [rows, k]; −1 for no class. */
  readonly indices: Int32Array;
  /** Log-probabilities or logits, shape [rows, k]. */
  readonly values: Matrix<T>;
  /** Whether `values` are log-probabilities or logits. */
  readonly kind: 'logProbabilities' | 'logits';
  /** Number of classes. */
  readonly columns: number;
  /** Temperature of the log-probabilities. */
  readonly temperature: number;
  /** Logarithm of the total probability of all other classes, one for each row. */
  readonly logTail: T | undefined;

  /**
   * Wraps the arrays without a copy. A strategy checks the classes and values when it reads them.
   *
   * @param options - the arrays, `columns` and `temperature`
   * @throws {DistillationError} `SHAPE_MISMATCH` for arrays of different shapes, `OUT_OF_RANGE` for
   *   `columns` and `temperature`, `MISPLACED_OPTION`, `UNKNOWN_OPTION`
   * @throws {TypeError} for an array of another type
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
    inspectAsSparse(SparseTargets.prototype);
  }

  /** Number of rows. */
  get rows(): number {
    return this.values.rows;
  }

  /** Precision in which the values are stored. */
  get numeric(): NumericTrait<T> {
    return this.values.numeric;
  }

  /**
   * Keeps the k largest logits of each row, the largest first, as log-probabilities at a
   * temperature. The tail gets the probability of all other classes.
   *
   * @param logits - shape [rows, classes]; −Infinity rules a class out
   * @param k - number of classes that each row keeps, an integer in [1, classes]
   * @param options - `temperature`: the temperature of the strategy that reads the targets; 1 by
   *   default
   * @returns targets with k classes in each row
   * @throws {DistillationError} `OUT_OF_RANGE` for `k` or the temperature, `UNKNOWN_OPTION`
   * @throws {TypeError} for logits that are not a matrix, and an option that is not a number
   *
   * @example
   * ```ts
   * import { Matrix, SparseTargets } from 'knowledge-distillation';
   *
   * const teacher = SparseTargets.topK(Matrix.fromRows([[3, 1, 0, -1, -2]]), 2);
   * console.log(teacher.indices); // Int32Array(2) [ 0, 1 ]
   * console.log(Math.exp(teacher.logTail![0]!).toFixed(4)); // 0.0618
   * ```
   */
  static topK<T extends FloatArray>(
    logits: Matrix<T>,
    k: number,
    options: { readonly temperature?: number | undefined } = {},
  ): SparseTargets<T> {
    const operation = 'SparseTargets.topK';
    checkLogits(operation, logits);
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

  /**
   * Draws classes of each row at random, with replacement, from p = softmax(logits / temperature).
   *
   * ```math
   * p_j = n_j / samples
   * p_tail = 0
   * ```
   *
   * n_j is the number of draws of class j. The draws are unbiased: the mean of p_j is the teacher's
   * probability of class j. With the k largest logits instead, a student never learns rare classes.
   *
   * {@link ResponseDistillationStrategy} is linear in p: the mean of its gradient is the gradient
   * from all logits, for `tail` `'bucket'` and `'drop'`. The mean of its loss is larger, by the
   * amount by which the entropy of the draws is below the entropy of p. Other losses are not linear
   * in p: their mean gradient differs. {@link ReverseKLDistillationStrategy} refuses classes to
   * which the teacher gives probability 0.
   *
   * A row keeps the classes that were drawn, at most `samples`. All rows are as wide as the row
   * that keeps the most classes. A row with NaN, +Infinity, or only −Infinity becomes unusable: the
   * strategy throws unless the row is excluded.
   *
   * @param logits - shape [rows, classes]; −Infinity rules a class out
   * @param options - `samples`, `seed` and `temperature`
   * @returns targets with the drawn classes of each row, in ascending order
   * @throws {DistillationError} `OUT_OF_RANGE` for an option, `UNKNOWN_OPTION`
   * @throws {TypeError} for logits that are not a matrix, and an option that is not a number
   *
   * @remarks Cost: one exponential for each logit, and log(classes) + log(samples) steps for each
   * draw. The standard deviation of a probability is √(p (1 − p) / samples).
   * @see [Anshumann et al. 2025](https://arxiv.org/abs/2503.16870), "Sparse Logit Sampling:
   *   Accelerating Knowledge Distillation in LLMs". Here the proposal of "Random Sampling Knowledge
   *   Distillation" is p itself; the paper also draws from powers of p, with importance weights.
   *
   * @example
   * ```ts
   * import { Matrix, ResponseDistillationStrategy, SparseTargets } from 'knowledge-distillation';
   *
   * const logits = Matrix.fromRows([[3, 1, 0, -1, -2], [0, 4, 2, 1, 0]]);
   * const teacher = SparseTargets.sample(logits, { samples: 50, seed: 1, temperature: 2 });
   * const strategy = new ResponseDistillationStrategy({ temperature: 2 });
   * console.log(strategy.computeLoss(Matrix.zeros(2, 5), teacher).toFixed(4)); // 1.3852
   * ```
   */
  static sample<T extends FloatArray>(
    logits: Matrix<T>,
    options: SamplingOptions,
  ): SparseTargets<T> {
    return new SparseTargets(drawTargets('SparseTargets.sample', logits, options));
  }

  /**
   * Reads rows of probabilities, as inference engines give them. Each row keeps its most probable
   * classes, the most probable first. The tail gets 1 minus the sum of the kept probabilities.
   *
   * Rows may hold different numbers of classes. A class of probability 0 is not kept. If a row
   * holds all classes, their probabilities sum to 1 (±1e-3); if it holds some classes, to at most 1
   * (±1e-3).
   *
   * @param rows - one item for each row of the student: a `Map` or an object from classes to
   *   probabilities, or an array with the probability of each class. An empty `Map` is a row that
   *   keeps no class: the strategy throws unless the row is excluded
   * @param options - `columns`, `k`, `log`, `temperature` and `numeric`
   * @returns targets as wide as the row that keeps the most classes
   * @throws {DistillationError} `OUT_OF_RANGE` for a class, a probability or an option,
   *   `NOT_FINITE` for NaN, `NOT_A_DISTRIBUTION` for a wrong sum, `SHAPE_MISMATCH` for an array
   *   whose length is not the number of classes, `UNKNOWN_OPTION`
   * @throws {TypeError} if `rows` is not an array of such rows, or a probability is not a number
   *
   * @remarks Cost: log(k) steps for each probability.
   *
   * @example
   * ```ts
   * import { Matrix, ResponseDistillationStrategy, SparseTargets } from 'knowledge-distillation';
   *
   * const rows = [new Map([[7, 0.6], [2, 0.3]]), new Map([[0, 0.5], [7, 0.2], [1, 0.1]])];
   * const teacher = SparseTargets.fromProbabilities(rows, { columns: 10 });
   * const strategy = new ResponseDistillationStrategy({ temperature: 1 });
   * console.log(strategy.computeLoss(Matrix.zeros(2, 10), teacher).toFixed(4)); // 0.9447
   * ```
   */
  static fromProbabilities<T extends FloatArray = Float32Array>(
    rows: readonly ClassProbabilities[],
    options: ProbabilityOptions<T>,
  ): SparseTargets<T> {
    return new SparseTargets(readTargets('SparseTargets.fromProbabilities', rows, options));
  }

  /** @internal Whether a row keeps every class. Without an argument: whether every row does. */
  keepsAll(row?: number): boolean {
    const { indices, columns } = this;
    const k = this.values.columns;
    if (k < columns) return false;
    const searched = row === undefined ? indices : indices.subarray(row * k, (row + 1) * k);
    return !searched.includes(NO_CLASS);
  }

  /** @internal Returns the log of the total probability of the classes that a row does not keep. */
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
