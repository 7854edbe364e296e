import type { RuledOutBy } from '../../call/diagnosis.js';
import type { FloatArray } from '../../core/numeric.js';
import { DIVERGENCES } from '../../engine/binaries/divergences.js';
import { totalVariation } from '../../kernels/rows/divergences.js';
import type { DistributionRow } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { DivergenceDistillationStrategyBase, type DivergenceOptions } from './divergence.js';

/**
 * Distillation by total variation, mean over rows:
 *
 *     α · CE(student, label) + (1 − α) · T² · ½ Σ |softmax(teacher / T) − softmax(student / T)|
 *
 * A row without a label has the soft term alone; the cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, any finite value or −Infinity (a
 *   class ruled out). The teacher may be {@link SparseTargets}, see the option `tail`.
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions.
 *
 * Returns a loss ≥ 0, the soft term at most T²; 0 at student = teacher without labels. The
 * derivative by a probability that is equal on both sides to the last bit is taken as 0. Each row
 * of the gradient sums to 0, and neither changes when a constant is added to a row.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, DTYPE_MISMATCH, NOT_FINITE (NaN, +Infinity),
 * OUT_OF_RANGE (temperature, alpha, labels, indices), NOT_A_DISTRIBUTION (labels,
 * log-probabilities), RULED_OUT (a label), TEMPERATURE and MISPLACED_OPTION (what a sparse teacher
 * cannot give).
 *
 * Cost: two exponentials for each logit, by the kernel that `kernelInfo` names; beside the
 * gradient, memory for a few rows.
 *
 * Wen et al. (2023), "f-Divergence Minimization for Sequence-Level Knowledge Distillation", §3.2,
 * arXiv:2307.15190: at T = 1 and without T².
 *
 * @example
 * import { Matrix, TotalVariationDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new TotalVariationDistillationStrategy({ temperature: 2 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 */
export class TotalVariationDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DivergenceDistillationStrategyBase<T> {
  constructor(options: DivergenceOptions = {}) {
    super(options);
  }

  override get name(): string {
    return 'TotalVariationDistillationStrategy';
  }

  protected override get ruledOutBy(): RuledOutBy {
    return 'neither';
  }

  protected override describe(): ResponseTerms {
    return { ...super.describe(), kernel: { binary: DIVERGENCES, name: 'totalVariation' } };
  }

  protected override divergence(row: DistributionRow): number {
    return totalVariation(row);
  }
}
