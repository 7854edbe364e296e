import type { DistillationBatch } from '../../call/batch.js';
import { checkRuledOut } from '../../call/diagnosis.js';
import type { GradientSink } from '../../call/gradient.js';
import type { EvaluationOptions, LossAndGradient, StrategyOptions } from '../../call/options.js';
import { addRowLoss } from '../../call/rowOptions.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import { throwType } from '../../core/errors.js';
import { checkHasLabels, checkLabels, type Labels } from '../../core/labels.js';
import type { Matrix } from '../../core/matrix.js';
import { type FloatArray, typeTag } from '../../core/numeric.js';
import { refuseProbabilities } from '../../core/probabilities.js';
import { checkDistributions } from '../../kernels/rows/distributions.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import { labelLosses } from './_labels.js';
import { fillTables, SpareTables } from './_rowTables.js';

/**
 * Matches the student's class probabilities to the labels alone, by the cross-entropy.
 *
 * ```math
 * L = −Σ_j y_j log(q_j)
 * q = softmax(s)
 * ```
 *
 * Use it where there is no teacher: for the baseline of a student, and to train the teacher.
 *
 * Avoid it beside other response losses: their `alpha` adds the same loss.
 *
 * s is a row of the student, y its label as a one-hot row or a distribution, and the loss is the
 * mean over rows. Every response strategy has this loss for its labels, at temperature 1. The
 * options `temperature` and `alpha` do not change it.
 *
 * - `student`: logits, shape [rows, classes], in nats, finite or −Infinity (a class that is ruled
 *   out). A label must not be a class that the student rules out.
 * - `teacher`: not read. Pass `undefined`, or anything with the same rows, as a hybrid does.
 * - labels: a class in [0, classes) or a distribution for every row; `IGNORE_INDEX` excludes a row.
 *
 * Returns a loss ≥ 0 in nats; 0 where the student is sure of the right class. Each row of the
 * gradient sums to 0. A constant added to a row of logits changes neither loss nor gradient.
 *
 * Cost: one exponential for each logit, by the kernel that `kernelInfo` names. Beside the gradient,
 * it takes memory for a few rows.
 *
 * @throws {DistillationError} `LABEL_REQUIRED` (no labels, or `UNLABELED`), `OUT_OF_RANGE` and
 *   `NOT_A_DISTRIBUTION` (labels), `NOT_FINITE` (NaN, +Infinity), `PROBABILITIES` (probabilities
 *   instead of logits), `RULED_OUT` (a class that the label allows)
 *
 * @example
 * ```ts
 * import { CrossEntropyDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const baseline = new CrossEntropyDistillationStrategy();
 * const logits = Matrix.fromRows([[0.2, 1.1, -0.4], [2, 0, 0]]);
 * const labels = Int32Array.of(1, 0);
 * const { loss, gradient } = baseline.computeLossAndGradient(logits, undefined, labels);
 * console.log(loss.toFixed(4)); // 0.3640
 * ```
 */
export class CrossEntropyDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T, SparseTargets<T>> {
  readonly #spare = new SpareTables();

  constructor(options: StrategyOptions = {}) {
    super(options, []);
  }

  override get name(): string {
    return 'CrossEntropyDistillationStrategy';
  }

  override get usesLabels(): boolean {
    return true;
  }

  override get isSumOverRows(): true {
    return true;
  }

  protected override get takesSparse(): boolean {
    return true;
  }

  override computeLoss(
    student: Matrix<T>,
    teacher?: Matrix<T> | SparseTargets<T>,
    labels?: Labels<T>,
    options?: EvaluationOptions<T>,
  ): number {
    return super.computeLoss(student, this.#unread(student, teacher), labels, options);
  }

  override computeGradient(
    student: Matrix<T>,
    teacher?: Matrix<T> | SparseTargets<T>,
    labels?: Labels<T>,
    options?: EvaluationOptions<T>,
  ): Matrix<T> {
    return super.computeGradient(student, this.#unread(student, teacher), labels, options);
  }

  override computeLossAndGradient(
    student: Matrix<T>,
    teacher?: Matrix<T> | SparseTargets<T>,
    labels?: Labels<T>,
    options?: EvaluationOptions<T>,
  ): LossAndGradient<T> {
    return super.computeLossAndGradient(student, this.#unread(student, teacher), labels, options);
  }

  /** Returns the matrix that takes the teacher's place: the student, if there is no teacher. */
  #unread(
    student: Matrix<T>,
    teacher: Matrix<T> | SparseTargets<T> | undefined,
  ): Matrix<T> | SparseTargets<T> {
    if (typeTag(teacher) !== 'Int32Array') return teacher ?? student;
    const hint = 'labels are the third argument: pass undefined for the teacher';
    throwType(this.name, 'teacher', 'be undefined or a Matrix', teacher, hint);
  }

  protected override validate(batch: DistillationBatch<T, SparseTargets<T>>): void {
    const { operation, student, labels, rows } = batch;
    checkHasLabels(operation, labels, rows);
    if (labels) {
      const checkRows = (matrix: Matrix<T>) =>
        checkDistributions(operation, 'labels', matrix, rows);
      checkLabels(operation, labels, student.columns, rows, checkRows);
    }
    refuseProbabilities(operation, 'student', student, rows);
  }

  protected override explain(batch: DistillationBatch<T, SparseTargets<T>>): void {
    const { student: teacher, labels } = batch;
    checkRuledOut({ ...batch, teacher }, -Infinity, 'neither', labels);
  }

  protected override evaluate(
    batch: DistillationBatch<T, SparseTargets<T>>,
    gradient?: GradientSink<T>,
  ): number {
    const { student, rows, rowWeights, normalizer } = batch;
    const { data, columns } = student;
    const tables = this.#spare.take(student.rows);
    fillTables({ ...batch, alpha: 1 }, { terms: {}, standardizeLogits: false }, tables);
    const { labels, weights, losses } = tables;
    const distributions = batch.distributions?.data;
    const sink = gradient?.times(1 / normalizer);
    labelLosses({ student: data, columns, labels, weights, distributions }, losses, sink);
    let sum = 0;
    let most = 0;
    for (const row of rows) {
      sum += losses[row]!;
      addRowLoss(batch, row, losses[row]!);
      most = Math.max(most, Math.abs(rowWeights?.[row] ?? 1)); // |derivative by a logit| ≤ 1
    }
    sink?.settle(most);
    this.#spare.giveBack(tables);
    return sum / normalizer;
  }
}
