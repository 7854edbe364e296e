import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { overBatchByProduct } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import type { FloatArray } from '../../core/numeric.js';
import { alignmentDistance } from '../../kernels/pairs/centeredKernelAlignment.js';

/**
 * One minus the linear centered kernel alignment of the features of both sides, over the rows of a
 * batch together:
 *
 *     loss = 1 − ‖Yᵀ X‖² / (‖Xᵀ X‖ · ‖Yᵀ Y‖) = 1 − ⟨X Xᵀ, Y Yᵀ⟩ / (‖X Xᵀ‖ · ‖Y Yᵀ‖)
 *
 * with the Frobenius norm, X the student's rows and Y the teacher's, each column less its mean over
 * the batch.
 *
 * - `student`, `teacher`: features, one row a sample; any finite value. The columns may differ.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss in [0, 1]: 0 where one side is the other rotated, scaled and shifted, so that the
 * student is free to choose its own axes. Where all rows of a side are equal, a single row for one,
 * it is 1 with a gradient of 0; of two rows that differ it is 0. The gradient grows as the rows
 * come closer to each other, as 1 / ‖X‖.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (rows), DTYPE_MISMATCH, NOT_FINITE.
 *
 * Cost: some rows² · columns multiplications, or rows · columns² where that is less, and memory for
 * rows² or columns² and for both sides. It is no sum over rows: chunks of a batch do not add up to
 * it.
 *
 * Precision: doubles, except that a kernel multiplies float32 rows, from 32 rows and 32 columns on,
 * in float32: each side with itself or, where the rows of both sides are close, the teacher and the
 * difference. Where errors of 5e-7 of what the products differ by might still show, they are
 * computed once more in doubles. A row of the gradient is good to some 1e-6 of the sum of the sizes
 * of its terms, one for each pair.
 *
 * Kornblith et al. (2019), "Similarity of Neural Network Representations Revisited", §3,
 * arXiv:1905.00414: the measure, of which this is one minus. It is the biased estimate, for which a
 * batch that is small beside the columns looks aligned.
 *
 * @example
 * import { CenteredKernelAlignmentDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new CenteredKernelAlignmentDistillationStrategy();
 * const student = Matrix.fromRows([[0.1, 0.9], [0.8, -0.2], [0.5, 0.4]]);
 * const teacher = Matrix.fromRows([[0.3, 1.2, 0.1], [0.9, -0.3, 0.4], [0.2, 0.6, -0.5]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
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

  /** Rows are compared with rows of their own side alone: the columns may differ. */
  protected override validate(): void {}

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    return overBatchByProduct(batch, gradient, alignmentDistance);
  }
}
