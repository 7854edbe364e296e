import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { overBatchByProduct } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import type { FloatArray } from '../../core/numeric.js';
import { similarityDifference } from '../../kernels/pairs/similarityPreserving.js';

/**
 * Similarity-preserving distillation: which samples of a batch the teacher finds alike, the student
 * shall too. Over the rows of a batch together, B of them:
 *
 *     loss = Σ over all pairs of (Ĝ(student) − Ĝ(teacher))² / B²
 *     Ĝ = G with each of its rows g as g / max(‖g‖, 1e-12),  G = X · Xᵀ
 *
 * - `student`, `teacher`: activations, one row a sample; any finite value. The columns may differ.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss in [0, 4 / B], 0 at student = teacher; it does not change when a side is scaled,
 * above that floor. A row of zeros is like no other, its row of Ĝ is 0; below the floor the
 * derivative is steep, that by g / 1e-12. Of a single row nothing is left to learn: loss 0, unless
 * it is zero on one side.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (rows), DTYPE_MISMATCH, NOT_FINITE.
 *
 * Cost: B² · columns multiplications for the gradient and half of that for each side, and memory
 * for B² numbers of each side and, with a gradient, at most for those of the student. It is no sum
 * over rows: chunks of a batch do not add up to it. The published weight beside a hard loss is
 * 3000.
 *
 * Precision: doubles, except that a kernel multiplies float32 rows, from 32 rows and 32 columns on,
 * in float32: each side with itself or, where the rows of both sides are close, the teacher and the
 * difference. Where errors of 5e-7 of what the products differ by might still show, they are
 * computed once more in doubles. A row of the gradient is a sum over pairs and good to some 1e-6 of
 * the sum of their sizes; where they cancel, as with rows that point the same way, that is a larger
 * share of what is left.
 *
 * Tung & Mori (2019), "Similarity-Preserving Knowledge Distillation", §3 eq. 1–4, arXiv:1907.09682:
 * as here; the floor of the norm is that of published code.
 *
 * @example
 * import { Matrix, SimilarityPreservingDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new SimilarityPreservingDistillationStrategy();
 * const student = Matrix.fromRows([[1, 0], [0.8, 0.3], [0, 1]]);
 * const teacher = Matrix.fromRows([[2, 0, 1], [2, 0.5, 1], [0, 1, 3]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher); // gradient: 3 × 2
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

  /** Rows are compared with rows of their own side alone: the columns may differ. */
  protected override validate(): void {}

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    return overBatchByProduct(batch, gradient, similarityDifference);
  }
}
