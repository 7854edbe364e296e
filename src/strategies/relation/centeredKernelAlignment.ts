import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { overBatchByProduct } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import type { FloatArray } from '../../core/numeric.js';
import { alignmentDistance } from '../../kernels/pairs/centeredKernelAlignment.js';

/**
 * Matches the features of a batch up to rotation, scale and shift, by linear centered kernel
 * alignment.
 *
 * ```math
 * L = 1 − ‖Yᵀ X‖² / (‖Xᵀ X‖ ‖Yᵀ Y‖)
 * ```
 *
 * Use it to leave the student free to choose its own axes, with many rows beside the columns.
 *
 * Avoid it for batches with fewer rows than columns: all features then look aligned.
 *
 * X holds the student's rows and Y the teacher's, each column less its mean over the batch. The
 * norm is the Frobenius norm. In terms of rows, the fraction is ⟨X Xᵀ, Y Yᵀ⟩ / (‖X Xᵀ‖ ‖Y Yᵀ‖).
 *
 * - `student`, `teacher`: features, one row for each sample, any finite value. The two sides may
 *   differ in columns.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect.
 *
 * Returns a loss in [0, 1], 0 where one side is the other rotated, scaled and shifted. Where all
 * rows of a side are equal (a single row, for example), the loss is 1 with gradient 0. For two rows
 * that differ, it is 0. The gradient grows as 1 / ‖X‖ when the rows come closer to each other. The
 * loss is no sum over rows: chunks of a batch do not add up to it.
 *
 * Cost: some rows² · columns multiplications, or rows · columns² where that is less. Memory for
 * rows² or columns² numbers, and for both sides.
 *
 * Precision: double, with one exception. From 32 rows and 32 columns on, a kernel multiplies
 * float32 rows in float32: each side with itself or, where the rows of both sides are close, the
 * teacher and the difference. Where errors of 5e-7 of the products' differences might still show,
 * the products are computed again in double. A row of the gradient is good to some 1e-6 of the sum
 * of the sizes of its terms, one for each pair.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for another number of rows; `DTYPE_MISMATCH`,
 *   `NOT_FINITE`
 * @see [Kornblith et al. 2019](https://arxiv.org/abs/1905.00414), §3. "Similarity of Neural Network
 *   Representations Revisited": the measure, of which this loss is one minus. It is the biased
 *   estimate: a batch that is small beside the columns looks aligned.
 *
 * @example
 * ```ts
 * import { CenteredKernelAlignmentDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new CenteredKernelAlignmentDistillationStrategy();
 * const student = Matrix.fromRows([[0.1, 0.9], [0.8, -0.2], [0.5, 0.4]]); // 3 samples × 2 features
 * const teacher = Matrix.fromRows([[0.3, 1.2, 0.1], [0.9, -0.3, 0.4], [0.2, 0.6, -0.5]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 0.1180
 * console.log(gradient.rows, gradient.columns); // 3 2
 * ```
 */
export class CenteredKernelAlignmentDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T> {
  constructor(options: StrategyOptions = {}) {
    super(options, []);
  }

  override get name(): string {
    return 'CenteredKernelAlignmentDistillationStrategy';
  }

  /**
   * Checks nothing more: rows are compared with rows of their own side, so the columns may differ.
   */
  protected override validate(): void {}

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    return overBatchByProduct(batch, gradient, alignmentDistance);
  }
}
