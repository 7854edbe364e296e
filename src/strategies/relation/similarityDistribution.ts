import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { overBatchByProduct } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import { checkPositive } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { similarityDivergence } from '../../kernels/pairs/similarityDistribution.js';

export interface SimilarityDistributionDistillationOptions extends StrategyOptions {
  /** τ_s, by which the student's similarities are divided, > 0; 0.05. */
  readonly similarityTemperature?: number | undefined;
  /** τ_t, by which the teacher's similarities are divided, > 0; the student's. */
  readonly teacherSimilarityTemperature?: number | undefined;
}

/**
 * Similarity distributions: with which of the other rows of a batch a row would be taken together,
 * of the teacher and of the student.
 *
 *     loss = mean over i of KL(p(· | i) ‖ q(· | i))
 *     p(j | i) = softmax over j ≠ i of cos(tᵢ, tⱼ) / τ_t,  q(j | i) = softmax over j ≠ i of cos(sᵢ, sⱼ) / τ_s
 *
 * s are the rows of the student, t those of the teacher. A row is not among its own neighbours. Use
 * it for embeddings that find what is related to something: the smaller τ_t, the more the nearest
 * rows count.
 *
 * - `student`, `teacher`: embeddings, one row a sample; any finite value. The columns may differ.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used: temperatures of
 *   similarities are options of their own, since a hybrid hands that of logits, which is larger by
 *   far, to all.
 *
 * Returns a loss ≥ 0 in nats, at most 2 / τ_s + 2 / τ_t; 0 at student = teacher if τ_s = τ_t, and
 * where two rows or one are kept, which leave no choice. The scale of a row does not matter; the
 * cosine of a row of zeros is 0, with gradient 0.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (rows), DTYPE_MISMATCH, NOT_FINITE, OUT_OF_RANGE (the
 * temperatures).
 *
 * Cost: rows² · columns multiplications for each side and for the gradient, and memory for rows²
 * numbers three times and for both sides. It is no sum over rows: chunks of a batch do not add up
 * to it, and in a larger batch the neighbours are nearer.
 *
 * Precision: doubles, except that a kernel multiplies float32 rows, from 32 rows and 32 columns on,
 * in float32: each side with itself or, where the rows of both sides are close, the teacher and the
 * difference. Where the errors might still show, as they do at low temperatures, the products are
 * computed once more in doubles. The loss is good to 1e-6, a row of the gradient to some 1e-6 of
 * the sum of the sizes of its terms, one for each pair.
 *
 * Koohpayegani et al. (2020), "CompRess", §3, arXiv:2010.14713: with two queues this loss, but the
 * other rows come from queues of earlier batches, without a gradient. Fang et al. (2021), "SEED",
 * §3.2, arXiv:2101.04731: both sides are compared with one queue of the teacher's rows, at 0.2 and
 * 0.01, and the row itself counts; the value is larger by the entropy of p. Tejankar et al. (2021),
 * "ISD", arXiv:2012.09259: one queue, too, and a teacher that is an average of the student.
 *
 * @example
 * import { Matrix, SimilarityDistributionDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new SimilarityDistributionDistillationStrategy({
 *   similarityTemperature: 0.05,
 *   teacherSimilarityTemperature: 0.1,
 * });
 * const student = Matrix.fromRows([[0.1, 0.9], [0.8, -0.2], [0.5, 0.4], [-0.3, 0.6]]);
 * const teacher = Matrix.fromRows([[0.3, 1.2, 0.1], [0.9, -0.3, 0.4], [0.2, 0.6, -0.5], [0.1, 0.7, 0.9]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher); // gradient: 4 × 2
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

  /** Rows are compared with rows of their own side alone: the columns may differ. */
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
