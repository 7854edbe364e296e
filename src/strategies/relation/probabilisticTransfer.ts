import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { overBatchByProduct } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import type { FloatArray } from '../../core/numeric.js';
import { affinityDivergence } from '../../kernels/pairs/probabilisticTransfer.js';

/**
 * Probabilistic knowledge transfer: the probability with which a row picks another for its
 * neighbour, of the teacher and of the student, over the rows of a batch together:
 *
 *     loss = mean over all pairs (i, j) of p(j | i) · log((p(j | i) + 1e-7) / (q(j | i) + 1e-7))
 *     p(j | i) = s(i, j) / Σ over k of s(i, k),  s(i, j) = (1 + x̂ᵢ · x̂ⱼ) / 2,  x̂ = x / (‖x‖ + 1e-7)
 *
 * p is that of the teacher's rows, q that of the student's. The pair of a row with itself counts.
 *
 * - `student`, `teacher`: features, one row a sample; any finite value. The columns may differ.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss in (−1.7e-6, 16.2 / rows], 0 at student = teacher and for a single row. It is
 * below 0 by no more than the 1e-7 makes it, which also leaves a gradient of that size at student =
 * teacher. At a row of zeros the derivative is steep: 1e7 times that at a norm of 1.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (rows), DTYPE_MISMATCH, NOT_FINITE.
 *
 * Cost: rows² · columns multiplications for each side and for the gradient, and memory for rows²
 * and for both sides. It is no sum over rows: chunks of a batch do not add up to it. The published
 * weight beside a hard loss is 30000.
 *
 * Precision: doubles, except that a kernel multiplies float32 rows, from 32 rows and 32 columns on,
 * in float32: each side with itself or, where the rows of both sides are close, the teacher and the
 * difference. Where errors of 5e-7 of what the products differ by might still show, they are
 * computed once more in doubles. A row of the gradient is good to some 1e-6 of the sum of the sizes
 * of its terms, one for each pair.
 *
 * Passalis & Tefas (2018), "Learning Deep Representations with Probabilistic Knowledge Transfer",
 * §3, arXiv:1803.10837. The paper leaves the pair of a row with itself out and sums; this is the
 * authors' code, with the mean and both 1e-7.
 *
 * @example
 * import { Matrix, ProbabilisticTransferDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new ProbabilisticTransferDistillationStrategy();
 * const student = Matrix.fromRows([[0.1, 0.9], [0.8, -0.2], [0.5, 0.4]]);
 * const teacher = Matrix.fromRows([[0.3, 1.2, 0.1], [0.9, -0.3, 0.4], [0.2, 0.6, -0.5]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 */
export class ProbabilisticTransferDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T> {
  constructor(options: StrategyOptions = {}) {
    super(options, []);
  }

  override get name(): string {
    return 'ProbabilisticTransferDistillationStrategy';
  }

  /** Rows are compared with rows of their own side alone: the columns may differ. */
  protected override validate(): void {}

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    return overBatchByProduct(batch, gradient, affinityDivergence);
  }
}
