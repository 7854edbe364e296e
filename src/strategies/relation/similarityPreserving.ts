import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { overBatchByProduct } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import type { FloatArray } from '../../core/numeric.js';
import { similarityDifference } from '../../kernels/pairs/similarityPreserving.js';

/**
 * Matches which samples of a batch are alike, by squared difference of normalized Gram matrices.
 *
 * ```math
 * L = Σ_(i,j) (Ĝ_(i,j)(s) − Ĝ_(i,j)(t))² / B²
 * Ĝ_i = G_i / max(‖G_i‖, 10^(−12))
 * G(x) = x xᵀ
 * ```
 *
 * Use it between layers of different widths without a projection, in large batches.
 *
 * Avoid it where the similarity itself matters, and not only its proportion to others.
 *
 * s and t are the matrices of student and teacher, B is the number of kept rows, and G_i a row of
 * G.
 *
 * - `student`, `teacher`: activations, one row for each sample, any finite value. The two sides may
 *   differ in columns.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect.
 *
 * Returns a loss in [0, 4 / B], 0 at student = teacher. Scaling a side changes nothing, as long as
 * ‖G_i‖ is above 1e-12. A row of zeros is like no other row, and its row of Ĝ is 0. Below the floor
 * the derivative is steep, because it divides by 1e-12. A single row leaves nothing to learn: its
 * loss is 0, unless the row is zero on one side. The loss is no sum over rows: chunks of a batch do
 * not add up to it.
 *
 * Cost: B² · columns multiplications for the gradient and half of that for each side. Memory for B²
 * numbers of each side and, with a gradient, at most for the student's rows. The published weight
 * beside a hard loss is 3000.
 *
 * Precision: double, with one exception. From 32 rows and 32 columns on, a kernel multiplies
 * float32 rows in float32: each side with itself or, where the rows of both sides are close, the
 * teacher and the difference. Where errors of 5e-7 of the products' differences might still show,
 * the products are computed again in double. A row of the gradient is a sum over pairs, and good to
 * some 1e-6 of the sum of their sizes. Where the pairs cancel, as with rows that point the same
 * way, the error is a larger share of the result.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for another number of rows; `DTYPE_MISMATCH`,
 *   `NOT_FINITE`
 * @see [Tung & Mori 2019](https://arxiv.org/abs/1907.09682), §3 equations 1–4.
 *   "Similarity-Preserving Knowledge Distillation". As in the paper; the floor of the norm is that
 *   of published code.
 * @reproduces mdistiller
 * @reproduces RepDistiller
 * @differs torchdistill: rows of G divided by the sum of their absolute values.
 * @differs AiDotNet: cosines of softmaxes.
 *
 * @example
 * ```ts
 * import { Matrix, SimilarityPreservingDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new SimilarityPreservingDistillationStrategy();
 * const student = Matrix.fromRows([[1, 0], [0.8, 0.3], [0, 1]]); // 3 samples × 2 features
 * const teacher = Matrix.fromRows([[2, 0, 1], [2, 0.5, 1], [0, 1, 3]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 0.0316
 * console.log(gradient.rows, gradient.columns); // 3 2
 * ```
 */
export class SimilarityPreservingDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T> {
  constructor(options: StrategyOptions = {}) {
    super(options, []);
  }

  override get name(): string {
    return 'SimilarityPreservingDistillationStrategy';
  }

  /**
   * Checks nothing more: rows are compared with rows of their own side, so the columns may differ.
   */
  protected override validate(): void {}

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    return overBatchByProduct(batch, gradient, similarityDifference);
  }
}
