import type { FloatArray } from '../../core/numeric.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import { forwardDivergence } from '../../kernels/rows/divergences.js';
import type { DistributionRow } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { DivergenceDistillationStrategyBase, type DivergenceOptions } from './divergence.js';

/**
 * Hinton's distillation of the output layer, mean over rows:
 *
 *     α · CE(student, label) + (1 − α) · T² · KL(softmax(teacher / T) ‖ softmax(student / T))
 *
 * A row without a label has the loss T² · KL alone. The cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, any finite value or −Infinity (a
 *   class ruled out). What the teacher allows the student must not rule out. The teacher may be
 *   {@link SparseTargets}, see the option `tail`.
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions.
 *
 * Returns a loss ≥ 0 in nats, where every row has one label or none; 0 at student = teacher without
 * labels. Each row of the gradient sums to 0, and neither changes when a constant is added to a row
 * of logits.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, DTYPE_MISMATCH, NOT_FINITE (NaN, +Infinity),
 * RULED_OUT, OUT_OF_RANGE (temperature, alpha, labels, indices), NOT_A_DISTRIBUTION (labels,
 * log-probabilities), TEMPERATURE and MISPLACED_OPTION (what a sparse teacher cannot give).
 *
 * For T → ∞ the soft term tends to half the mean over classes of the squared difference of the
 * centred logits. Its relative error grows as 1e-15 · T over the spread of that difference: keep T
 * below 1e8. At alpha = 1 the teacher of a row with a label is not read.
 *
 * Cost: two to three exponentials for each logit, by the kernel that `kernelInfo` names, whatever
 * the labels are, with −Infinity and standardized logits too. Beside the gradient, memory for a few
 * rows. In float32 the gradient is exact to 6e-7 of the largest entry of a row plus 4e-9 of its
 * largest term, and the loss to 6e-7 of itself, or 4e-6 where it is small; in float64 both to
 * 1e-13, and in JavaScript (`'scalar'`) to 1e-11, or 2e-6 where both sides agree to 7 digits.
 *
 * Hinton, Vinyals, Dean (2015), "Distilling the Knowledge in a Neural Network", §2,
 * arXiv:1503.02531. The paper speaks of the cross-entropy with soft targets; the KL divergence has
 * the same gradient and is 0 at the minimum.
 *
 * @example
 * import { Matrix, ResponseDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new ResponseDistillationStrategy({ temperature: 4, alpha: 0.1 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4], [2.0, 0.1, 0.3]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0], [4.0, 0.5, 0.2]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, Int32Array.of(1, 0));
 */
export class ResponseDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DivergenceDistillationStrategyBase<T> {
  constructor(options: DivergenceOptions = {}) {
    super(options);
  }

  override get name(): string {
    return 'ResponseDistillationStrategy';
  }

  protected override describe(): ResponseTerms {
    const kernel = { binary: RESPONSE, name: 'forward' };
    return { ...super.describe(), kernel, completion: 1 };
  }

  protected override divergence(row: DistributionRow): number {
    return forwardDivergence(row);
  }
}
