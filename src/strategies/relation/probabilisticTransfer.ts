import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { overBatchByProduct } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import type { FloatArray } from '../../core/numeric.js';
import { affinityDivergence } from '../../kernels/pairs/probabilisticTransfer.js';

/**
 * Matches the probabilities with which rows of a batch pick each other as neighbours, by
 * KL(teacher ‖ student).
 *
 * ```math
 * L = mean_(i,j)(p_(i,j) log((p_(i,j) + ε) / (q_(i,j) + ε)))
 * p_(i,j) = κ(t_i, t_j) / Σ_k κ(t_i, t_k)
 * q_(i,j) = κ(s_i, s_j) / Σ_k κ(s_i, s_k)
 * κ(x, y) = (1 + u(x) · u(y)) / 2
 * u(z) = z / (‖z‖ + ε)
 * ε = 10^(−7)
 * ```
 *
 * Use it for embeddings that will be compared with each other, with a weight in the ten thousands.
 *
 * s and t are the rows of the student and of the teacher. The mean is over all pairs of kept rows;
 * the pair of a row with itself counts.
 *
 * - `student`, `teacher`: features, one row for each sample, any finite value. The two sides may
 *   differ in columns.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect.
 *
 * Returns a loss in (−1.7e-6, 16.2 / rows], 0 at student = teacher and for a single row. Only ε can
 * make it negative; ε also leaves a gradient of that size at student = teacher. At a row of zeros
 * the derivative is steep: 1e7 times the derivative at a norm of 1. The loss is no sum over rows:
 * chunks of a batch do not add up to it.
 *
 * Cost: rows² · columns multiplications for each side and for the gradient. Memory for rows²
 * numbers and for both sides. The published weight beside a hard loss is 30000.
 *
 * Precision: double, with one exception. From 32 rows and 32 columns on, a kernel multiplies
 * float32 rows in float32: each side with itself or, where the rows of both sides are close, the
 * teacher and the difference. Where errors of 5e-7 of the products' differences might still show,
 * the products are computed again in double. A row of the gradient is good to some 1e-6 of the sum
 * of the sizes of its terms, one for each pair.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for another number of rows; `DTYPE_MISMATCH`,
 *   `NOT_FINITE`
 * @see [Passalis & Tefas 2018](https://arxiv.org/abs/1803.10837), §3. "Learning Deep
 *   Representations with Probabilistic Knowledge Transfer". The paper sums over the pairs, without
 *   those of a row with itself; this is the authors' code, with the mean and both 1e-7.
 * @reproduces mdistiller
 * @reproduces RepDistiller
 * @reproduces torchdistill
 * @differs AiDotNet: moments, MMD or entropy of softmaxes.
 *
 * @example
 * ```ts
 * import { Matrix, ProbabilisticTransferDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new ProbabilisticTransferDistillationStrategy();
 * const student = Matrix.fromRows([[0.1, 0.9], [0.8, -0.2], [0.5, 0.4]]); // 3 samples × 2 features
 * const teacher = Matrix.fromRows([[0.3, 1.2, 0.1], [0.9, -0.3, 0.4], [0.2, 0.6, -0.5]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 0.0118
 * console.log(gradient.rows, gradient.columns); // 3 2
 * ```
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

  /**
   * Checks nothing more: rows are compared with rows of their own side, so the columns may differ.
   */
  protected override validate(): void {}

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    return overBatchByProduct(batch, gradient, affinityDivergence);
  }
}
