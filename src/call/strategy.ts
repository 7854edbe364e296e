import { rethrow } from '../core/allocate.js';
import { checkShape, checkTeacherRows } from '../core/checks.js';
import {
  checkFraction,
  checkOptions,
  checkPositive,
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
import { evaluateWithGradient } from './gradientCall.js';
import {
  type Blend,
  type CountedLoss,
  DEFAULTS,
  type EvaluationOptions,
  type IDistillationStrategy,
  type LossAndGradient,
  NO_OPTIONS,
  requestOf,
  type StrategyOptions,
} from './options.js';
import { type HeldMatrix, openRowLosses } from './output.js';
import type { Parameter } from './parameter.js';
import { refuseRowOptions, refuseTemperatures } from './rowOptions.js';

/** Shared list of a strategy without parameters or without held matrices. */
const NONE: readonly never[] = [];

/**
 * Implements what all strategies share: checks the arguments, selects the kept rows, resolves
 * temperature and alpha, and provides the output buffer of the gradient. A strategy implements only
 * {@link evaluate}.
 *
 * {@link meanOverRows} has an example of a strategy. `DivergenceDistillationStrategyBase` and
 * `ResponseDistillationStrategyBase` share more, for response losses.
 */
export abstract class DistillationStrategyBase<
  T extends FloatArray = Float32Array,
  Sparse extends SparseTargets<T> = never,
> implements IDistillationStrategy<T>
{
  #temperature: number | undefined;
  #alpha: number | undefined;

  /**
   * Reads temperature and alpha.
   *
   * @param options - options of the strategy
   * @param own - names of the options that a strategy adds. If they are given, unknown options are
   * refused
   * @throws {DistillationError} OUT_OF_RANGE for a temperature that is not finite and > 0, and for
   * an alpha outside [0, 1]; UNKNOWN_OPTION
   */
  constructor(options: StrategyOptions = {}, own?: readonly string[]) {
    checkOptions(this.name, 'options', options, own && ['temperature', 'alpha', ...own]);
    const { temperature, alpha } = options; // each is read once, so that the checked value is kept
    if (temperature !== undefined) this.temperature = temperature;
    if (alpha !== undefined) this.alpha = alpha;
  }

  /**
   * Name of the strategy in errors and components: by default the name of the class. Override it in
   * a class that a minifier renames.
   */
  get name(): string {
    return this.constructor.name || 'Strategy';
  }

  /** Divisor of the logits of both sides of a response loss. Finite, > 0. */
  get temperature(): number {
    return this.#temperature ?? this.defaults.temperature;
  }
  set temperature(value: number) {
    this.#temperature = checkPositive(this.name, 'temperature', value);
  }

  /**
   * Weight of the true labels in a response loss, in [0, 1]; the weight of the teacher is 1 −
   * alpha.
   */
  get alpha(): number {
    return this.#alpha ?? this.defaults.alpha;
  }
  set alpha(value: number) {
    this.#alpha = checkFraction(this.name, 'alpha', value);
  }

  /** Temperature and alpha if neither the strategy nor an enclosing hybrid sets them. */
  protected get defaults(): Blend {
    return DEFAULTS;
  }

  /** Returns the parameters that the strategy learns beside the student: none by default. */
  parameters(): readonly Parameter<T>[] {
    return NONE;
  }

  /**
   * @internal Returns the matrices that the strategy reads beside the arguments: none by default.
   * No output buffer may share memory with them.
   */
  heldMatrices(): readonly HeldMatrix<T>[] {
    return NONE;
  }

  /**
   * Computes the loss of a batch.
   *
   * @param studentBatchOutput - shape [rows, columns]
   * @param teacherBatchOutput - a constant to the gradient; same dtype, by default the same shape
   * @param trueLabelsBatch - one label for each row, see {@link Labels}
   * @param options - options of this call
   * @returns the loss, a finite double
   * @throws {DistillationError} for values that cannot be used
   * @throws {TypeError} for values of the wrong type
   */
  computeLoss(
    studentBatchOutput: Matrix<T>,
    teacherBatchOutput: Matrix<T> | Sparse,
    trueLabelsBatch?: Labels<T>,
    options: EvaluationOptions<T> = NO_OPTIONS,
  ): number {
    const operation = `${this.name}.computeLoss`;
    const [student, teacher, labels] = [studentBatchOutput, teacherBatchOutput, trueLabelsBatch];
    const request = requestOf(operation, student, teacher, labels, options, NONE);
    return this.#loss(this.#prepareCall(request, options));
  }

  /** Computes d loss / d student, in the student's shape; see {@link computeLoss}. */
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

  /** Computes loss and gradient in one pass, for a training loop; see {@link computeLoss}. */
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
   * Evaluates the formula of the strategy, once in each call. It may read only the rows in
   * `batch.rows`. A NaN or an infinity in these rows has to reach the loss.
   *
   * @param batch - checked arguments and resolved options of the call
   * @param gradient - takes d(loss)/d(student) row by row, see {@link GradientSink.add}; undefined
   * if no gradient is wanted
   * @returns the loss of the call. A loss that is a sum over rows is divided by `batch.normalizer`,
   * as {@link meanOverRows} does
   */
  protected abstract evaluate(
    batch: DistillationBatch<T, Sparse>,
    gradient?: GradientSink<T>,
  ): number;

  /** Throws if the strategy cannot evaluate the batch: by default, if the shapes differ. */
  protected validate({ operation, student, teacher }: DistillationBatch<T, Sparse>): void {
    checkShape(operation, 'teacher', teacher, [student.rows, student.columns]);
  }

  /** @internal Checks the rows after `validate`: the message names a shape that is taken. */
  protected checkRows({ operation, student, teacher, sparse }: DistillationBatch<T, Sparse>): void {
    checkTeacherRows(operation, student, sparse ?? teacher);
  }

  /** Whether the loss reads labels and not only their `IGNORE_INDEX`. False by default. */
  get usesLabels(): boolean {
    return false;
  }

  /**
   * Whether the loss is a sum over rows, so that a call may pass `rowWeights` and `rowLosses`.
   * False by default. {@link meanOverRows} applies both. A strategy that sums without it multiplies
   * by `batch.rowWeights` and adds to `batch.rowLosses` itself.
   */
  get isSumOverRows(): boolean {
    return false;
  }

  /**
   * Whether the loss takes a temperature for each row, so that a call may pass `temperatures`.
   * False by default.
   */
  get usesTemperatures(): boolean {
    return false;
  }

  /**
   * Explains a loss that is not finite: throws at the element of the batch that causes it, if there
   * is one.
   */
  protected explain(batch: DistillationBatch<T, Sparse>): void {
    checkFinite(batch);
  }

  /** Whether the teacher may be {@link SparseTargets}. False by default. */
  protected get takesSparse(): boolean {
    return false;
  }

  /** Returns temperature and alpha: those of the strategy or, without them, the inherited ones. */
  protected resolve(inherited: Overrides): Overrides {
    return {
      temperature: this.#temperature ?? inherited.temperature,
      alpha: this.#alpha ?? inherited.alpha,
    };
  }

  /** @internal Checks a request as {@link contribute} does, without evaluating it. */
  checkRequest(request: BatchRequest<T>): void {
    this.#prepare(request);
  }

  /**
   * @internal Evaluates the strategy as a part of another strategy; `gradient` is the sink for this
   * part.
   */
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
    const held = this.heldMatrices();
    return evaluateWithGradient(batch, request, options, held, (sink) => this.#loss(batch, sink));
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
    this.checkRows(batch);
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
