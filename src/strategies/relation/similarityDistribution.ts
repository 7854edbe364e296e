import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { overBatchByProduct } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import { checkPositive } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { similarityDivergence } from '../../kernels/pairs/similarityDistribution.js';

/** Options of {@link SimilarityDistributionDistillationStrategy}. */
export interface SimilarityDistributionDistillationOptions extends StrategyOptions {
  /**
   * Temperature τ_s that divides the student's similarities, > 0.
   *
   * @defaultValue 0.05
   */
  readonly similarityTemperature?: number | undefined;
  /**
   * Temperature τ_t that divides the teacher's similarities, > 0.
   *
   * @defaultValue `similarityTemperature`
   */
  readonly teacherSimilarityTemperature?: number | undefined;
}

/**
 * Matches which of a batch's other rows are nearest to each row, by KL(teacher ‖ student).
 *
 * ```math
 * L = mean_i(KL(p_i ‖ q_i))
 * p_i = softmax_(j ≠ i)(cos(t_i, t_j) / τ_t)
 * q_i = softmax_(j ≠ i)(cos(s_i, s_j) / τ_s)
 * ```
 *
 * Use it for embeddings with which a search finds related samples.
 *
 * Avoid it for three rows or fewer, and where near rows matter no more than far rows.
 *
 * s and t are the rows of the student and of the teacher. A row is not among its own neighbours.
 * The smaller τ_t, the more the nearest rows count.
 *
 * - `student`, `teacher`: embeddings, one row for each sample, any finite value. The two sides may
 *   differ in columns.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect. The temperatures of similarities are options of their own, because a hybrid passes the
 *   temperature of logits, which is far larger, to all its entries.
 *
 * Returns a loss ≥ 0 in nats, at most 2 / τ_s + 2 / τ_t. It is 0 at student = teacher if τ_s = τ_t,
 * and where one or two rows are kept, which leave no choice. The scale of a row does not matter.
 * The cosine with a row of zeros is 0, with gradient 0. The loss is no sum over rows: chunks of a
 * batch do not add up to it, and in a larger batch the neighbours are nearer.
 *
 * Cost: rows² · columns multiplications for each side and for the gradient. Memory for 3 · rows²
 * numbers and for both sides.
 *
 * Precision: double, with one exception. From 32 rows and 32 columns on, a kernel multiplies
 * float32 rows in float32: each side with itself or, where the rows of both sides are close, the
 * teacher and the difference. Where the errors might still show, as they do at low temperatures,
 * the products are computed again in double. The loss is good to 1e-6, and a row of the gradient to
 * some 1e-6 of the sum of the sizes of its terms, one for each pair.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for another number of rows; `DTYPE_MISMATCH`,
 *   `NOT_FINITE`; `OUT_OF_RANGE` for the temperatures
 * @see [Koohpayegani et al. 2020](https://arxiv.org/abs/2010.14713), §3. "CompRess": with two
 *   queues it is this loss. The paper takes the other rows from queues of earlier batches, without
 *   a gradient.
 * @see [Fang et al. 2021](https://arxiv.org/abs/2101.04731), §3.2. "SEED". The paper compares both
 *   sides with one queue of the teacher's rows, at 0.2 and 0.01, and counts the row itself. Its
 *   value is larger by the entropy of p.
 * @see [Tejankar et al. 2021](https://arxiv.org/abs/2012.09259). "ISD". The paper has one queue
 *   too, and a teacher that is an average of the student.
 *
 * @example
 * ```ts
 * import { Matrix, SimilarityDistributionDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new SimilarityDistributionDistillationStrategy({
 *   similarityTemperature: 0.05,
 *   teacherSimilarityTemperature: 0.1,
 * });
 * const student = Matrix.fromRows([[0.1, 0.9], [0.8, -0.2], [0.5, 0.4], [-0.3, 0.6]]);
 * const teacher = Matrix.fromRows([
 *   [0.3, 1.2, 0.1],
 *   [0.9, -0.3, 0.4],
 *   [0.2, 0.6, -0.5],
 *   [0.1, 0.7, 0.9],
 * ]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 6.2823
 * console.log(gradient.rows, gradient.columns); // 4 2
 * ```
 */
export class SimilarityDistributionDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T> {
  readonly similarityTemperature: number;
  readonly teacherSimilarityTemperature: number;

  constructor(options: SimilarityDistributionDistillationOptions = {}) {
    super(options, ['similarityTemperature', 'teacherSimilarityTemperature']);
    const { similarityTemperature = 0.05 } = options;
    const { teacherSimilarityTemperature = similarityTemperature } = options;
    this.similarityTemperature = checkPositive(
      this.name,
      'similarityTemperature',
      similarityTemperature,
    );
    this.teacherSimilarityTemperature = checkPositive(
      this.name,
      'teacherSimilarityTemperature',
      teacherSimilarityTemperature,
    );
  }

  override get name(): string {
    return 'SimilarityDistributionDistillationStrategy';
  }

  /**
   * Checks nothing more: rows are compared with rows of their own side, so the columns may differ.
   */
  protected override validate(): void {}

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    const temperatures = {
      student: this.similarityTemperature,
      teacher: this.teacherSimilarityTemperature,
    };
    return overBatchByProduct(batch, gradient, (student, teacher, wanted) =>
      similarityDivergence(student, teacher, temperatures, wanted),
    );
  }
}
