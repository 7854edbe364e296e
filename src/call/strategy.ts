import { rethrow } from '../core/allocate.js';
import { checkShape } from '../core/checks.js';
import {
  checkBoolean,
  checkFraction,
  checkOptions,
  checkPositive,
  refuse,
  throwOverflow,
  throwType,
} from '../core/errors.js';
import type { Labels } from '../core/labels.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import type { SparseTargets } from '../teachers/sparse.js';
import { type BatchRequest, batchOf, type DistillationBatch, type Overrides } from './batch.js';
import { checkFinite } from './diagnosis.js';
import type { GradientSink } from './gradient.js';
import {
  type Blend,
  type CountedLoss,
  DEFAULTS,
  type EvaluationOptions,
  type IDistillationStrategy,
  type LossAndGradient,
  NO_OPTIONS,
  requestOf,
  resultOf,
  type StrategyOptions,
} from './options.js';
import { checkTarget, GradientOutput, type HeldMatrix, openRowLosses } from './output.js';
import { type Parameter, ParameterSums } from './parameter.js';
import { refuseRowOptions, refuseTemperatures } from './rowOptions.js';

/** The parameters, and the matrices, of a strategy that has none. */
const NO_PARAMETERS: readonly Parameter<never>[] = [];
const NO_MATRICES: readonly HeldMatrix<never>[] = [];

/**
 * The part that all strategies share: it checks the arguments, picks the rows kept, resolves
 * temperature and alpha, and provides the gradient. A strategy writes {@link evaluate} alone.
 *
 * @example
 * import { type DistillationBatch, DistillationStrategyBase, type GradientSink, Matrix, meanOverRows } from 'knowledge-distillation';
 *
 * // ½ Σ (student − teacher)², mean over rows
 * class HalfSquares extends DistillationStrategyBase {
 *   protected override evaluate(batch: DistillationBatch, gradient?: GradientSink): number {
 *     const { student, teacher } = batch;
 *     return meanOverRows(batch, gradient, (s, t, derivative) => {
 *       let loss = 0;
 *       for (let j = 0; j < student.columns; j++) {
 *         const difference = student.data[s + j]! - teacher.data[t + j]!;
 *         loss += 0.5 * difference ** 2;
 *         if (derivative) derivative[j] = difference;
 *       }
 *       return loss;
 *     });
 *   }
 * }
 * const loss = new HalfSquares().computeLoss(Matrix.fromRows([[1, 2]]), Matrix.fromRows([[0, 0]])); // 2.5
 */
export abstract class DistillationStrategyBase<
  T extends FloatArray = Float32Array,
  Sparse extends SparseTargets<T> = never,
> implements IDistillationStrategy<T>
{
  #temperature: number | undefined;
  #alpha: number | undefined;

  /**
   * @param own - the names of the options that a strategy adds; if it says them, any other is
   * refused
   * @throws {DistillationError} for a temperature that is not finite and > 0, and an alpha outside
   * [0, 1]
   */
  constructor(options: StrategyOptions = {}, own?: readonly string[]) {
    checkOptions(this.name, 'options', options, own && ['temperature', 'alpha', ...own]);
    const { temperature, alpha } = options; // each read once: what is checked is what is kept
    if (temperature !== undefined) this.temperature = temperature;
    if (alpha !== undefined) this.alpha = alpha;
  }

  /**
   * What errors and components call the strategy; a class that is minified wants to override it.
   */
  get name(): string {
    return this.constructor.name || 'Strategy';
  }

  get temperature(): number {
    return this.#temperature ?? this.defaults.temperature;
  }
  set temperature(value: number) {
    this.#temperature = checkPositive(this.name, 'temperature', value);
  }

  get alpha(): number {
    return this.#alpha ?? this.defaults.alpha;
  }
  set alpha(value: number) {
    this.#alpha = checkFraction(this.name, 'alpha', value);
  }

  /**
   * The temperature and alpha that hold where neither the strategy nor a hybrid around it says
   * otherwise.
   */
  protected get defaults(): Blend {
    return DEFAULTS;
  }

  /** What the strategy learns beside the student: nothing by default. */
  parameters(): readonly Parameter<T>[] {
    return NO_PARAMETERS;
  }

  /**
   * @internal The matrices that the strategy reads beside the arguments: none by default. A
   * gradient must not overlap them.
   */
  heldMatrices(): readonly HeldMatrix<T>[] {
    return NO_MATRICES;
  }

  /**
   * The loss, a double.
   *
   * @param studentBatchOutput - shape [rows, columns]
   * @param teacherBatchOutput - a constant; shape [rows, columns], same number format
   * @param trueLabelsBatch - one label a row, see {@link Labels}
   * @throws {DistillationError} for unusable values; `TypeError` for values of the wrong type
   */
  computeLoss(
    studentBatchOutput: Matrix<T>,
    teacherBatchOutput: Matrix<T> | Sparse,
    trueLabelsBatch?: Labels<T>,
    options: EvaluationOptions<T> = NO_OPTIONS,
  ): number {
    const operation = `${this.name}.computeLoss`;
    const [student, teacher, labels] = [studentBatchOutput, teacherBatchOutput, trueLabelsBatch];
    const request = requestOf(operation, student, teacher, labels, options, NO_PARAMETERS);
    return this.#loss(this.#prepareCall(request, options));
  }

  /** d loss / d student. The arguments are those of {@link computeLoss}. */
  computeGradient(
    studentBatchOutput: Matrix<T>,
    teacherBatchOutput: Matrix<T> | Sparse,
    trueLabelsBatch?: Labels<T>,
    options: EvaluationOptions<T> = NO_OPTIONS,
  ): Matrix<T> {
    return this.#lossAndGradient(
      'computeGradient',
      studentBatchOutput,
      teacherBatchOutput,
      trueLabelsBatch,
      options,
    ).gradient;
  }

  /**
   * Both in one pass: what a training loop calls. The arguments are those of {@link computeLoss}.
   */
  computeLossAndGradient(
    studentBatchOutput: Matrix<T>,
    teacherBatchOutput: Matrix<T> | Sparse,
    trueLabelsBatch?: Labels<T>,
    options: EvaluationOptions<T> = NO_OPTIONS,
  ): LossAndGradient<T> {
    return this.#lossAndGradient(
      'computeLossAndGradient',
      studentBatchOutput,
      teacherBatchOutput,
      trueLabelsBatch,
      options,
    );
  }

  /**
   * The formula: returns the loss of the call and, where a sink is given, hands it
   * d(loss)/d(student) row by row with {@link GradientSink.add}. A loss that is a sum over rows is
   * divided by `batch.normalizer`, as {@link meanOverRows} does. Called once for each call. Only
   * the rows in `batch.rows` may be read. A NaN or an infinity in them has to reach the loss.
   */
  protected abstract evaluate(
    batch: DistillationBatch<T, Sparse>,
    gradient?: GradientSink<T>,
  ): number;

  /** Throws where the strategy cannot work on the batch: by default, where the shapes differ. */
  protected validate({ operation, student, teacher }: DistillationBatch<T, Sparse>): void {
    checkShape(operation, 'teacher', teacher, [student.rows, student.columns]);
  }

  /** Whether the loss depends on the labels. If not, only `IGNORE_INDEX` is read from them. */
  get usesLabels(): boolean {
    return false;
  }

  /**
   * Whether the loss is a sum over rows by {@link meanOverRows}, which takes `rowWeights` and
   * `rowLosses`. If not, calls with them are refused. A loss that is a sum over rows in another way
   * multiplies by `batch.rowWeights` itself, and adds to `batch.rowLosses`.
   */
  get isSumOverRows(): boolean {
    return false;
  }

  /**
   * Whether the loss depends on the temperature, and takes one for each row. If not, calls with
   * `temperatures` are refused.
   */
  get usesTemperatures(): boolean {
    return false;
  }

  /**
   * Called with a batch whose loss is not finite: throws at the entry that is to blame, if one is.
   */
  protected explain(batch: DistillationBatch<T, Sparse>): void {
    checkFinite(batch);
  }

  /** Whether the teacher may be {@link SparseTargets}. */
  protected get takesSparse(): boolean {
    return false;
  }

  /** What the strategy sets, and what it inherits where it sets nothing. */
  protected resolve(inherited: Overrides): Overrides {
    return {
      temperature: this.#temperature ?? inherited.temperature,
      alpha: this.#alpha ?? inherited.alpha,
    };
  }

  /** @internal Checks a request as {@link contribute} does, and evaluates nothing. */
  checkRequest(request: BatchRequest<T>): void {
    this.#prepare(request);
  }

  /** @internal Evaluates the strategy as a part of another; the sink is for its loss. */
  contribute(request: BatchRequest<T>, gradient?: GradientSink<T>): CountedLoss {
    const batch = this.#prepare(request);
    const { count, components } = batch;
    return { loss: this.#loss(batch, gradient), count, components };
  }

  #lossAndGradient(
    method: string,
    student: Matrix<T>,
    teacher: Matrix<T> | Sparse,
    labels: Labels<T> | undefined,
    options: EvaluationOptions<T>,
  ): LossAndGradient<T> {
    const operation = `${this.name}.${method}`;
    const learned = this.parameters();
    const request = requestOf(operation, student, teacher, labels, options, learned);
    const batch = this.#prepareCall(request, options);
    const { gradient: given, accumulate = false } = options;
    if (checkBoolean(operation, 'accumulate', accumulate) && !given && learned.length === 0) {
      refuse('MISPLACED_OPTION', operation, 'accumulate', 'come with a gradient to add to', 'none');
    }
    if (given !== undefined) checkTarget(given, request, learned, this.heldMatrices());
    const output = new GradientOutput(student, given, accumulate);
    const sums = learned.length === 0 ? undefined : new ParameterSums(learned);
    try {
      const loss = this.#loss(batch, output.sink);
      output.finish(operation, 'gradient');
      sums?.check(operation, accumulate);
      sums?.commitGradients();
      output.commit();
      return resultOf(loss, output.gradient, batch);
    } finally {
      sums?.close();
    }
  }

  #prepareCall(request: BatchRequest<T>, options: EvaluationOptions<T>): DistillationBatch<T> {
    const batch = this.#prepare(request);
    if (!this.usesTemperatures) refuseTemperatures(batch.operation, request.temperatures);
    openRowLosses(options, request, this);
    return batch;
  }

  #prepare(request: BatchRequest<T>): DistillationBatch<T> {
    if (!this.isSumOverRows) refuseRowOptions(request.operation, request);
    const { defaults, usesLabels, takesSparse } = this;
    const reader = { defaults, usesLabels, takesSparse };
    const batch = batchOf(request, this.resolve(request.inherited), reader);
    this.validate(batch);
    return batch;
  }

  #loss(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    let loss: unknown;
    try {
      loss = this.evaluate(batch, gradient);
    } catch (error) {
      rethrow(batch.operation, batch.student, error);
    }
    if (typeof loss !== 'number') throwType(batch.operation, 'evaluate', 'return a number', loss);
    if (!Number.isFinite(loss)) {
      this.explain(batch);
      throwOverflow(batch.operation, loss);
    }
    gradient?.check(batch.operation);
    return loss;
  }
}

/**
 * Whether a strategy has the base class, of this copy of the library or another; not so a bare
 * implementation.
 */
export function sharesBase<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
): strategy is DistillationStrategyBase<T> {
  return 'contribute' in strategy;
}
