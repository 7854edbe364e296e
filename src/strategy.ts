import {
  type BatchRequest,
  type ComponentLoss,
  checkRequest,
  checkShape,
  checkTarget,
  type DistillationBatch,
  type GradientSink,
} from './batch.js';
import { checkFinite } from './diagnosis.js';
import {
  checkBoolean,
  checkFraction,
  checkOptions,
  checkPositive,
  refuse,
  throwOverflow,
} from './errors.js';
import type { Labels } from './labels.js';
import type { Matrix } from './matrix.js';
import type { FloatArray } from './numeric.js';
import { learn, type Parameter } from './parameter.js';

/** What every distillation loss offers: its value and its derivative with respect to the student. */
export interface IDistillationStrategy<T extends FloatArray = Float32Array> {
  /** Softens both sides of a response loss: logits are divided by it. Finite, > 0. */
  temperature: number;
  /** Weight of the true labels in a response loss, in [0, 1]; the teacher has the rest. */
  alpha: number;
  computeLoss(
    studentBatchOutput: Matrix<T>,
    teacherBatchOutput: Matrix<T>,
    trueLabelsBatch?: Labels<T>,
    options?: EvaluationOptions<T>,
  ): number;
  computeGradient(
    studentBatchOutput: Matrix<T>,
    teacherBatchOutput: Matrix<T>,
    trueLabelsBatch?: Labels<T>,
    options?: EvaluationOptions<T>,
  ): Matrix<T>;
}

/** Options of one call. */
export interface EvaluationOptions<T extends FloatArray = Float32Array> {
  /** One entry a row: 0 takes the row out. It is never read, and its gradient is exactly 0. */
  readonly mask?: ArrayLike<number>;
  /** The denominator of the mean, instead of the number of rows kept: for chunks of one large batch. */
  readonly normalizer?: number;
  /**
   * Written with the gradient instead of a new matrix. It is written only if the call succeeds, which
   * costs one evaluation of the loss beforehand.
   */
  readonly gradient?: Matrix<T>;
  /** Add to `gradient`, and to the gradients of learnable parameters, instead of overwriting them. */
  readonly accumulate?: boolean;
}

/** Options of every strategy; a hybrid supplies its own values to the strategies that leave them out. */
export interface StrategyOptions {
  /** Finite, > 0; 3 where nobody says otherwise. */
  readonly temperature?: number;
  /** In [0, 1]; 0.3 where nobody says otherwise. */
  readonly alpha?: number;
}

export interface LossAndGradient<T extends FloatArray = Float32Array> {
  readonly loss: number;
  /** d loss / d student, in the student's shape and number format. */
  readonly gradient: Matrix<T>;
  /** Rows that took part. */
  readonly count: number;
  /** The parts of a hybrid's loss; they sum to `loss`. */
  readonly components?: readonly ComponentLoss[];
}

/** Temperature and alpha together: what a hybrid hands down. */
export type Blend = Pick<DistillationBatch, 'temperature' | 'alpha'>;

/** What holds where neither a strategy nor a hybrid around it says otherwise. */
export const DEFAULTS: Blend = { temperature: 3, alpha: 0.3 };

/**
 * The part that all strategies share: it checks the arguments, picks the rows kept, resolves temperature and
 * alpha, provides the gradient and divides by the number of rows. A strategy writes {@link evaluate} alone.
 *
 * @example
 * import { type DistillationBatch, DistillationStrategyBase, type GradientSink, Matrix } from 'knowledge-distillation';
 *
 * // ½ Σ (student − teacher)², mean over rows
 * class HalfSquares extends DistillationStrategyBase {
 *   protected override evaluate({ student, teacher, rows }: DistillationBatch, gradient?: GradientSink): number {
 *     let sum = 0;
 *     for (const row of rows) {
 *       for (let i = row * student.columns; i < (row + 1) * student.columns; i++) {
 *         const difference = student.data[i]! - teacher.data[i]!;
 *         sum += 0.5 * difference * difference;
 *         if (gradient) gradient.matrix.data[i]! += gradient.scale * difference;
 *       }
 *     }
 *     return sum;
 *   }
 * }
 * const loss = new HalfSquares().computeLoss(Matrix.fromRows([[1, 2]]), Matrix.fromRows([[0, 0]])); // 2.5
 */
export abstract class DistillationStrategyBase<T extends FloatArray = Float32Array>
  implements IDistillationStrategy<T>
{
  #temperature: number | undefined;
  #alpha: number | undefined;

  /**
   * @param own - the names of the options that a strategy adds; if it says them, any other is refused
   * @throws {DistillationError} for a temperature that is not finite and > 0, and an alpha outside [0, 1]
   */
  constructor(options: StrategyOptions = {}, own?: readonly string[]) {
    checkOptions(this.name, 'options', options, own && ['temperature', 'alpha', ...own]);
    if (options.temperature !== undefined) this.temperature = options.temperature;
    if (options.alpha !== undefined) this.alpha = options.alpha;
  }

  /** What errors and components call the strategy; a class that is minified wants to override it. */
  get name(): string {
    return this.constructor.name || 'Strategy';
  }

  get temperature(): number {
    return this.#temperature ?? DEFAULTS.temperature;
  }
  set temperature(value: number) {
    this.#temperature = checkPositive(this.name, 'temperature', value);
  }

  get alpha(): number {
    return this.#alpha ?? DEFAULTS.alpha;
  }
  set alpha(value: number) {
    this.#alpha = checkFraction(this.name, 'alpha', value);
  }

  /** What the strategy learns beside the student: nothing, unless it says otherwise. */
  parameters(): readonly Parameter<T>[] {
    return [];
  }

  /**
   * The loss, a double.
   *
   * @param studentBatchOutput - shape [rows, columns]
   * @param teacherBatchOutput - a constant; shape [rows, columns], same number format
   * @param trueLabelsBatch - one label a row, see {@link Labels}
   * @throws {DistillationError} for unusable values; {@link TypeError} for values of the wrong type
   */
  computeLoss(
    studentBatchOutput: Matrix<T>,
    teacherBatchOutput: Matrix<T>,
    trueLabelsBatch?: Labels<T>,
    options: EvaluationOptions<T> = {},
  ): number {
    const request = this.#request(
      'computeLoss',
      studentBatchOutput,
      teacherBatchOutput,
      trueLabelsBatch,
      options,
    );
    return this.#loss(this.#prepare(request));
  }

  /** d loss / d student. The arguments are those of {@link computeLoss}. */
  computeGradient(
    studentBatchOutput: Matrix<T>,
    teacherBatchOutput: Matrix<T>,
    trueLabelsBatch?: Labels<T>,
    options: EvaluationOptions<T> = {},
  ): Matrix<T> {
    const request = this.#request(
      'computeGradient',
      studentBatchOutput,
      teacherBatchOutput,
      trueLabelsBatch,
      options,
    );
    return this.#lossAndGradient(request, options).gradient;
  }

  /** Both in one pass: what a training loop calls. The arguments are those of {@link computeLoss}. */
  computeLossAndGradient(
    studentBatchOutput: Matrix<T>,
    teacherBatchOutput: Matrix<T>,
    trueLabelsBatch?: Labels<T>,
    options: EvaluationOptions<T> = {},
  ): LossAndGradient<T> {
    const request = this.#request(
      'computeLossAndGradient',
      studentBatchOutput,
      teacherBatchOutput,
      trueLabelsBatch,
      options,
    );
    return this.#lossAndGradient(request, options);
  }

  /**
   * The formula: returns the **sum** of the loss over `batch.rows` and, where a sink is given, adds
   * `gradient.scale × d(sum)/d(student)` to `gradient.matrix`. The base divides by the number of rows.
   * Only the rows in `batch.rows` may be read. A NaN or an infinity in them has to reach the sum.
   */
  protected abstract evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number;

  /** Throws where the strategy cannot work on the batch; as it stands, where the shapes differ. */
  protected validate({ operation, student, teacher }: DistillationBatch<T>): void {
    checkShape(operation, 'teacher', teacher, student.rows, student.columns);
  }

  /** Whether the loss depends on the labels. If not, only `IGNORE_INDEX` is read from them. */
  get usesLabels(): boolean {
    return false;
  }

  /** Called with a batch whose loss is not finite: throws at the entry that is to blame, if one is. */
  protected explain(batch: DistillationBatch<T>): void {
    checkFinite(batch);
  }

  /** The temperature and alpha of a call in which `defaults` stand in for what the strategy leaves open. */
  protected resolve(defaults: Blend): Blend {
    return {
      temperature: this.#temperature ?? defaults.temperature,
      alpha: this.#alpha ?? defaults.alpha,
    };
  }

  /**
   * @internal Evaluates the strategy as a part of another, with every check of its own, and adds
   * `weight × d(loss)/d(student)` to `gradient`.
   */
  contribute(
    request: BatchRequest<T>,
    weight: number,
    gradient?: Matrix<T>,
  ): { loss: number; count: number } {
    const batch = this.#prepare(request);
    const sink = gradient && { matrix: gradient, scale: weight / batch.normalizer };
    return { loss: this.#loss(batch, sink), count: batch.rows.length };
  }

  #lossAndGradient(request: BatchRequest<T>, options: EvaluationOptions<T>): LossAndGradient<T> {
    const batch = this.#prepare(request);
    const { student } = batch;
    const { gradient: given, accumulate = false } = options;
    if (given !== undefined) checkTarget(given, batch);
    const parameters = this.parameters();
    const { operation } = batch;
    if (checkBoolean(operation, 'accumulate', accumulate) && !given && parameters.length === 0) {
      refuse('MISPLACED_OPTION', operation, 'accumulate', 'come with a gradient to add to', 'none');
    }
    // A matrix of the caller's is written only once the call is known to succeed.
    if (given !== undefined) this.#loss({ ...batch, components: [] });
    const gradient = given ?? student.zerosLike();
    if (!accumulate) given?.data.fill(0);
    const sink = { matrix: gradient, scale: 1 / batch.normalizer };
    const loss = learn(parameters, accumulate, () => this.#loss(batch, sink));
    const { components } = batch;
    return {
      loss,
      gradient,
      count: batch.rows.length,
      ...(components.length > 0 && { components }),
    };
  }

  #request(
    method: string,
    student: Matrix<T>,
    teacher: Matrix<T>,
    labels: Labels<T> | undefined,
    options: EvaluationOptions<T>,
  ): BatchRequest<T> {
    const operation = `${this.name}.${method}`;
    checkOptions(operation, 'options', options, ['mask', 'normalizer', 'gradient', 'accumulate']);
    const { mask, normalizer } = options;
    return { ...DEFAULTS, operation, student, teacher, labels, mask, normalizer };
  }

  #prepare(request: BatchRequest<T>): DistillationBatch<T> {
    const rows = checkRequest(request);
    const batch: DistillationBatch<T> = {
      ...request,
      ...this.resolve(request),
      rows,
      normalizer: request.normalizer ?? Math.max(rows.length, 1),
      components: [],
    };
    this.validate(batch);
    return batch;
  }

  #loss(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    const loss = this.evaluate(batch, gradient) / batch.normalizer;
    if (!Number.isFinite(loss)) {
      this.explain(batch);
      throwOverflow(batch.operation, loss);
    }
    return loss;
  }
}
