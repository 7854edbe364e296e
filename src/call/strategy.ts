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
import {
  type BatchRequest,
  type ComponentLoss,
  checkRequest,
  checkTarget,
  type DistillationBatch,
  type Said,
} from './batch.js';
import { checkFinite } from './diagnosis.js';
import { type Content, GradientSink } from './gradient.js';
import { learn, type Parameter, rehearse } from './parameter.js';

/** What every distillation loss offers: its value and its derivative with respect to the student. */
export interface IDistillationStrategy<T extends FloatArray = Float32Array> {
  /** Softens both sides of a response loss: logits are divided by it. Finite, > 0. */
  temperature: number;
  /** Weight of the true labels in a response loss, in [0, 1]; the teacher has the rest. */
  alpha: number;
  /** The loss of a batch: a double. */
  computeLoss(
    studentBatchOutput: Matrix<T>,
    teacherBatchOutput: Matrix<T>,
    trueLabelsBatch?: Labels<T>,
    options?: EvaluationOptions<T>,
  ): number;
  /** d loss / d student, in the student's shape. */
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
   * Written with the gradient instead of a new matrix. It is written only if the call succeeds, which costs a
   * rehearsal, a second evaluation, unless a look at the input tells: the response loss of finite logits needs none
   * where it overwrites.
   */
  readonly gradient?: Matrix<T>;
  /** Add to `gradient`, and to the gradients of learnable parameters, instead of overwriting them. */
  readonly accumulate?: boolean;
}

/**
 * Options of every strategy; a hybrid supplies its own values to the strategies that leave them out. Where nobody says
 * anything, 3 and 0.3 hold, or what the strategy documents.
 */
export interface StrategyOptions {
  /** Finite, > 0. */
  readonly temperature?: number;
  /** In [0, 1]. */
  readonly alpha?: number;
}

/** What one pass gives. */
export interface LossAndGradient<T extends FloatArray = Float32Array> {
  readonly loss: number;
  /** d loss / d student, in the student's shape and number format. */
  readonly gradient: Matrix<T>;
  /** Rows that took part. */
  readonly count: number;
  /** The parts of a hybrid's loss; they sum to `loss`. */
  readonly components?: readonly ComponentLoss[];
}

/** @inline Temperature and alpha together. */
export type Blend = Pick<DistillationBatch, 'temperature' | 'alpha'>;

const DEFAULTS: Blend = { temperature: 3, alpha: 0.3 };

/** What is said around a strategy that is in no hybrid. */
export const NOTHING: Said = { temperature: undefined, alpha: undefined };

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
 *     const difference = new Float64Array(student.columns);
 *     let sum = 0;
 *     for (const row of rows) {
 *       for (let j = 0; j < student.columns; j++) {
 *         difference[j] = student.get(row, j) - teacher.get(row, j);
 *         sum += 0.5 * difference[j]! ** 2;
 *       }
 *       gradient?.add(row, difference);
 *     }
 *     return sum;
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

  /** The temperature and alpha that hold where neither the strategy nor a hybrid around it says otherwise. */
  protected get defaults(): Blend {
    return DEFAULTS;
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
   * @throws {DistillationError} for unusable values; `TypeError` for values of the wrong type
   */
  computeLoss(
    studentBatchOutput: Matrix<T>,
    teacherBatchOutput: Matrix<T> | Sparse,
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
    teacherBatchOutput: Matrix<T> | Sparse,
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
    teacherBatchOutput: Matrix<T> | Sparse,
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
   * The formula: returns the **sum** of the loss over `batch.rows` and, where a sink is given, hands it
   * d(sum)/d(student) row by row with {@link GradientSink.add}. The base divides by the number of rows.
   * Only the rows in `batch.rows` may be read. A NaN or an infinity in them has to reach the sum.
   */
  protected abstract evaluate(
    batch: DistillationBatch<T, Sparse>,
    gradient?: GradientSink<T>,
  ): number;

  /** Throws where the strategy cannot work on the batch; as it stands, where the shapes differ. */
  protected validate({ operation, student, teacher }: DistillationBatch<T, Sparse>): void {
    checkShape(operation, 'teacher', teacher, student.rows, student.columns);
  }

  /** Whether the loss depends on the labels. If not, only `IGNORE_INDEX` is read from them. */
  get usesLabels(): boolean {
    return false;
  }

  /**
   * Whether the call is sure to succeed. If so, a gradient of the caller's is written without a rehearsal; as it
   * stands, nobody can be sure.
   */
  protected cannotFail(_batch: DistillationBatch<T, Sparse>): boolean {
    return false;
  }

  /** Called with a batch whose loss is not finite: throws at the entry that is to blame, if one is. */
  protected explain(batch: DistillationBatch<T, Sparse>): void {
    checkFinite(batch);
  }

  /** Whether the teacher may be {@link SparseTargets}. */
  protected get takesSparse(): boolean {
    return false;
  }

  /** What the strategy says, and where it says nothing, what is said around it. */
  protected say(around: Said): Said {
    return {
      temperature: this.#temperature ?? around.temperature,
      alpha: this.#alpha ?? around.alpha,
    };
  }

  /** @internal Evaluates the strategy as a part of another; the sink is for its loss, not for its sum. */
  contribute(
    request: BatchRequest<T>,
    gradient?: GradientSink<T>,
  ): { loss: number; count: number } {
    const batch = this.#prepare(request);
    const loss = this.#loss(batch, gradient?.times(1 / batch.normalizer));
    return { loss, count: batch.rows.length };
  }

  #lossAndGradient(request: BatchRequest<T>, options: EvaluationOptions<T>): LossAndGradient<T> {
    const batch = this.#prepare(request);
    const { operation, student, components, normalizer } = batch;
    const { gradient: given, accumulate = false } = options;
    const parameters = this.parameters();
    if (checkBoolean(operation, 'accumulate', accumulate) && !given && parameters.length === 0) {
      refuse('MISPLACED_OPTION', operation, 'accumulate', 'come with a gradient to add to', 'none');
    }
    let target = given;
    let content: Content = accumulate ? 'numbers' : 'stale';
    if (given !== undefined) checkTarget(given, batch, parameters);
    if (given !== undefined && (accumulate || !this.cannotFail(batch))) {
      // A matrix of the caller's is written only once the call is known to succeed.
      const trial = new GradientSink(given, 1 / normalizer, false, content);
      const rehearsal = { ...batch, components: [] };
      rehearse(operation, parameters, accumulate, () => this.#loss(rehearsal, trial));
      if (trial.isExtreme) target = accumulate ? given.clone() : undefined;
    }
    if (target === undefined) {
      target = student.zerosLike();
      content = 'zeros';
    }
    const sink = new GradientSink(target, 1 / normalizer, true, content);
    const loss = learn(operation, parameters, accumulate, () => this.#loss(batch, sink));
    sink.finish();
    if (given !== undefined && target !== given) given.data.set(target.data);
    const gradient = given ?? target;
    const count = batch.rows.length;
    return components.length > 0
      ? { loss, gradient, count, components }
      : { loss, gradient, count };
  }

  #request(
    method: string,
    student: Matrix<T>,
    teacher: Matrix<T> | Sparse,
    labels: Labels<T> | undefined,
    options: EvaluationOptions<T>,
  ): BatchRequest<T> {
    const operation = `${this.name}.${method}`;
    checkOptions(operation, 'options', options, ['mask', 'normalizer', 'gradient', 'accumulate']);
    const { mask, normalizer } = options;
    // Written out, here and below: on small batches, spreading takes longer than the loss.
    return { operation, student, teacher, labels, mask, normalizer, said: NOTHING };
  }

  #prepare(request: BatchRequest<T>): DistillationBatch<T> {
    const rows = checkRequest(request, this.takesSparse);
    const { operation, student, labels, mask } = request;
    const teacher = request.teacher as Matrix<T>; // or what `takesSparse` lets through
    const said = this.say(request.said);
    const batch: DistillationBatch<T> = {
      operation,
      student,
      teacher,
      labels,
      mask,
      rows,
      temperature: said.temperature ?? this.defaults.temperature,
      alpha: said.alpha ?? this.defaults.alpha,
      said,
      normalizer: request.normalizer ?? Math.max(rows.length, 1),
      components: [],
    };
    this.validate(batch);
    return batch;
  }

  #loss(batch: DistillationBatch<T, Sparse>, gradient?: GradientSink<T>): number {
    const { operation, normalizer } = batch;
    const sum: unknown = this.evaluate(batch, gradient);
    if (typeof sum !== 'number') throwType(operation, 'evaluate', 'return a number', sum);
    const loss = sum / normalizer;
    if (!Number.isFinite(loss)) {
      this.explain(batch);
      throwOverflow(operation, loss);
    }
    gradient?.check(operation);
    return loss;
  }
}

/** Whether a strategy has the base class, of this copy of the library or another; not so a bare implementation. */
export function sharesBase<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
): strategy is DistillationStrategyBase<T> {
  return 'contribute' in strategy;
}
