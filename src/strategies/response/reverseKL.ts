import type { RuledOutBy } from '../../call/diagnosis.js';
import type { FloatArray } from '../../core/numeric.js';
import { DIVERGENCES } from '../../engine/binaries/divergences.js';
import { reverseDivergence } from '../../kernels/rows/divergences.js';
import type { DistributionRow } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { DivergenceDistillationStrategyBase, type DivergenceOptions } from './divergence.js';

/**
 * Distillation by the reverse divergence, mean over rows:
 *
 *     α · CE(student, label) + (1 − α) · T² · KL(softmax(student / T) ‖ softmax(teacher / T))
 *
 * It asks the student to stay where the teacher puts probability, not to cover all of it. A row
 * without a label has the loss T² · KL alone. The cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, any finite value or −Infinity (a
 *   class ruled out). What the student allows the teacher must not rule out. The teacher may be
 *   {@link SparseTargets}, see the option `tail`.
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions.
 *
 * Returns a loss ≥ 0 in nats; 0 at student = teacher without labels. Each row of the gradient sums
 * to 0, and neither changes when a constant is added to a row of logits.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, DTYPE_MISMATCH, NOT_FINITE (NaN, +Infinity),
 * RULED_OUT, OUT_OF_RANGE (temperature, alpha, labels, indices), NOT_A_DISTRIBUTION (labels,
 * log-probabilities), TEMPERATURE and MISPLACED_OPTION (what a sparse teacher cannot give).
 *
 * Cost: two exponentials for each logit, by the kernel that `kernelInfo` names; beside the
 * gradient, memory for a few rows.
 *
 * Gu et al. (2024), "MiniLLM", §2.1, arXiv:2306.08543: of sequences, by policy gradient; here of
 * each token, as in GKD (Agarwal et al. 2024, arXiv:2306.13649, §3), both at T = 1 and without T².
 *
 * @example
 * import { Matrix, ReverseKLDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new ReverseKLDistillationStrategy({ temperature: 1 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 */
export class ReverseKLDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DivergenceDistillationStrategyBase<T> {
  constructor(options: DivergenceOptions = {}) {
    super(options);
  }

  override get name(): string {
    return 'ReverseKLDistillationStrategy';
  }

  protected override get ruledOutBy(): RuledOutBy {
    return 'teacher';
  }

  protected override describe(): ResponseTerms {
    const kernel = { binary: DIVERGENCES, name: 'reverse' };
    return { ...super.describe(), kernel, completion: -1 };
  }

  protected override divergence(row: DistributionRow): number {
    return reverseDivergence(row);
  }
}
