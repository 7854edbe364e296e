import { checkClassCount } from '../core/checks.js';
import { readNumeric } from '../core/convert.js';
import {
  checkBoolean,
  checkInteger,
  checkNumber,
  checkOptions,
  checkPositive,
  refuse,
  throwShape,
  throwType,
} from '../core/errors.js';
import { checkMatrix, Matrix } from '../core/matrix.js';
import { type FloatArray, type NumericTrait, typeTag } from '../core/numeric.js';
import { checkLogits } from '../core/probabilities.js';
import { Generator } from '../core/random.js';
import { logSumExp } from '../kernels/rows/logSumExp.js';
import { soften } from '../kernels/rows/soften.js';
import { largestIndices } from '../kernels/rows/topK.js';
import {
  type ClassProbabilities,
  type ProbabilityOptions,
  readProbabilities,
} from './probabilities.js';
import { NO_CLASS, packRows } from './raggedRows.js';
import { isSampleCount, type SamplingOptions, sampler } from './sampling.js';

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
 * {@link ResponseDistillationStrategy} and every other {@link DivergenceDistillationStrategyBase}
 * take it as the teacher; their option `tail` determines how the other classes count.
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
   * @throws {DistillationError} for arrays of different shapes; values are checked when read
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
   * Draws classes of each row at random, with replacement, from p = softmax(logits / temperature):
   *
   *     probability of a class = (times it was drawn) / samples,   probability of the tail = 0
   *
   * The k largest logits leave out what is rare, and a student learns to do so too. Draws leave out
   * nothing on average: their probabilities have the mean p, so that the gradient of
   * {@link ResponseDistillationStrategy} has the gradient from all logits as its mean, for `tail`
   * `'bucket'` and `'drop'`. The mean of its loss is larger, by the entropy that
   * the draws lack. Other losses
   * are not linear in p: their mean gradient is another one. {@link ReverseKLDistillationStrategy}
   * refuses classes to which the teacher gives nothing.
   *
   * A row keeps as many classes as were drawn, at most `samples`; rows are as wide as the row that
   * keeps the most. A row with NaN, +Infinity, or only −Infinity becomes unusable: the strategy
   * throws, unless the row is excluded.
   *
   * @param logits - shape [rows, classes]; −Infinity rules a class out
   * @throws {DistillationError} OUT_OF_RANGE for an option, UNKNOWN_OPTION
   * @throws {TypeError} for logits that are no matrix, and an option that is no number
   *
   * @remarks Cost: an exponential for each logit, and log(classes) + log(samples) steps for each
   * draw. The standard deviation of a probability is √(p (1 − p) / samples).
   *
   * Anshumann et al. (2025), "Sparse Logit Sampling: Accelerating Knowledge Distillation in LLMs",
   * arXiv:2503.16870, "Random Sampling Knowledge Distillation" with p itself as the proposal. The
   * paper also draws from powers of p, with importance weights.
   *
   * @example
   * import { Matrix, ResponseDistillationStrategy, SparseTargets } from 'knowledge-distillation';
   *
   * const logits = Matrix.fromRows([[3, 1, 0, -1, -2], [0, 4, 2, 1, 0]]);
   * const teacher = SparseTargets.sample(logits, { samples: 50, seed: 1, temperature: 2 });
   * const strategy = new ResponseDistillationStrategy({ temperature: 2 });
   * const gradient = strategy.computeGradient(Matrix.zeros(2, 5), teacher);
   */
  static sample<T extends FloatArray>(
    logits: Matrix<T>,
    options: SamplingOptions,
  ): SparseTargets<T> {
    const operation = 'SparseTargets.sample';
    checkLogits(operation, logits);
    checkOptions(operation, 'options', options, ['samples', 'seed', 'temperature']);
    const { samples, seed, temperature = 1 } = options;
    checkNumber(operation, 'samples', samples, 'be an integer in [1, 2^24]', isSampleCount);
    checkNumber(operation, 'seed', seed, 'be an integer', Number.isSafeInteger);
    checkPositive(operation, 'temperature', temperature);
    const { data, rows, columns, numeric } = logits;
    const sample = sampler(columns, samples, new Generator(seed));
    const x = new Float64Array(columns);
    const kept = Array.from({ length: rows }, (_, row) => {
      soften(data, row * columns, temperature, x);
      return sample(x);
    });
    return new SparseTargets({ ...packRows(kept, numeric), columns, temperature });
  }

  /**
   * Reads rows of probabilities, as inference engines give them: the most probable classes of each
   * row, the most probable first, and the probability of the other classes together, which is 1
   * minus the sum of those kept.
   *
   * Rows may hold different numbers of classes. A class of probability 0 is not kept. Probabilities
   * of all classes sum to 1, of some of them to at most 1 (±1e-3).
   *
   * @param rows - a row for each row of the student: a `Map` or an object of probabilities by
   *   class, or an array with one for each class. An empty `Map` is a row that keeps no class: the
   *   strategy throws, unless the row is excluded
   * @throws {DistillationError} OUT_OF_RANGE for a class or a probability out of range, and for an
   *   option, NOT_FINITE for NaN, NOT_A_DISTRIBUTION for a sum, SHAPE_MISMATCH for an array that
   *   does not have one element for each class, UNKNOWN_OPTION
   * @throws {TypeError} for what is no list of such rows, and for what is no number
   *
   * @remarks Cost: log(k) steps for each probability.
   *
   * @example
   * import { Matrix, ResponseDistillationStrategy, SparseTargets } from 'knowledge-distillation';
   *
   * const rows = [new Map([[7, 0.6], [2, 0.3]]), new Map([[0, 0.5], [7, 0.2], [1, 0.1]])];
   * const teacher = SparseTargets.fromProbabilities(rows, { columns: 10 });
   * const strategy = new ResponseDistillationStrategy({ temperature: 1 });
   * const loss = strategy.computeLoss(Matrix.zeros(2, 10), teacher);
   */
  static fromProbabilities<T extends FloatArray = Float32Array>(
    rows: readonly ClassProbabilities[],
    options: ProbabilityOptions<T>,
  ): SparseTargets<T> {
    const operation = 'SparseTargets.fromProbabilities';
    if (!Array.isArray(rows)) {
      const hint = typeTag(rows) === 'Map' ? 'write [row] for a single row' : undefined;
      throwType(operation, 'rows', 'be an array of rows', rows, hint);
    }
    const known = ['columns', 'k', 'log', 'temperature', 'numeric'];
    checkOptions(operation, 'options', options, known);
    const { columns, log = false, temperature = 1 } = options;
    checkInteger(operation, 'columns', columns, 1);
    const { k = columns } = options;
    checkInteger(operation, 'k', k, 1);
    checkBoolean(operation, 'log', log);
    checkPositive(operation, 'temperature', temperature);
    const numeric = readNumeric(operation, options.numeric);
    const format = { columns, k, log, epsilon: numeric.epsilon };
    const kept = rows.map((given, row) => readProbabilities(operation, given, row, format));
    return new SparseTargets({ ...packRows(kept, numeric), columns, temperature });
  }

  /** @internal Whether a row keeps every class, or, without a row, all of them do. */
  keepsAll(row?: number): boolean {
    const { indices, columns } = this;
    const k = this.values.columns;
    if (k < columns) return false;
    const some = row === undefined ? indices : indices.subarray(row * k, (row + 1) * k);
    return !some.includes(NO_CLASS);
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
