import type { Blend } from '../../call/options.js';
import { checkNonNegative } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { DIVERGENCES } from '../../engine/binaries/divergences.js';
import { othersDivergence, targetDivergence } from '../../kernels/rows/decoupled.js';
import type { SoftLoss } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { ResponseDistillationStrategyBase, type ResponseOptions } from './base.js';

export interface DecoupledDistillationOptions extends ResponseOptions {
  /** What the divergence of the label against all other classes counts, ≥ 0; 1. */
  readonly targetWeight?: number | undefined;
  /** What the divergence among the other classes counts, ≥ 0; 8. */
  readonly nonTargetWeight?: number | undefined;
}

/**
 * Decoupled distillation, mean over rows:
 *
 *     α · CE(student, y) + (1 − α) · T² · (targetWeight · TCKD + nonTargetWeight · NCKD)
 *     TCKD = KL([p_y, 1 − p_y] ‖ [q_y, 1 − q_y]),   NCKD = KL(p̂ ‖ q̂)
 *
 * with the label y, p = softmax(teacher / T), q = softmax(student / T), and p̂ and q̂ the same over
 * all classes but y. Hinton's KL(p ‖ q) is TCKD + (1 − p_y) · NCKD: a sure teacher mutes what it
 * knows of the other classes, and here it does not. The cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, any finite value or −Infinity (a
 *   class ruled out). What the teacher allows the student must not rule out. Of two classes, and
 *   where the teacher rules out all but the label, NCKD is 0.
 * - labels: a class for every row, as an index in [0, classes) or one-hot; `IGNORE_INDEX` takes a
 *   row out.
 *
 * Returns a loss ≥ 0 in nats; 0 at student = teacher and alpha = 0. Each row of the gradient sums
 * to 0, and neither changes when a constant is added to a row. `temperature` is 4 and `alpha` ½
 * where nobody says otherwise.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, DTYPE_MISMATCH, NOT_FINITE (NaN, +Infinity),
 * RULED_OUT, LABEL_REQUIRED (a row without a class), OUT_OF_RANGE (weights, temperature, alpha,
 * labels), NOT_A_DISTRIBUTION (labels).
 *
 * Cost: four to five exponentials for each logit, by the kernel that `kernelInfo` names; beside the
 * gradient, memory for a few rows.
 *
 * Zhao et al. (2022), "Decoupled Knowledge Distillation", §3, arXiv:2203.08679. There the
 * cross-entropy and the two terms are summed with weights 1, 1 and 8: twice what this is by
 * default.
 *
 * @example
 * import { DecoupledDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new DecoupledDistillationStrategy({ nonTargetWeight: 2 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, Int32Array.of(1));
 */
export class DecoupledDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends ResponseDistillationStrategyBase<T> {
  readonly targetWeight: number;
  readonly nonTargetWeight: number;

  constructor(options: DecoupledDistillationOptions = {}) {
    super(options, ['targetWeight', 'nonTargetWeight']);
    const { targetWeight = 1, nonTargetWeight = 8 } = options;
    this.targetWeight = checkNonNegative(this.name, 'targetWeight', targetWeight);
    this.nonTargetWeight = checkNonNegative(this.name, 'nonTargetWeight', nonTargetWeight);
  }

  override get name(): string {
    return 'DecoupledDistillationStrategy';
  }

  override get isSumOverRows(): true {
    return true;
  }

  protected override get defaults(): Blend {
    return { temperature: 4, alpha: 0.5 };
  }

  protected override get needsClasses(): boolean {
    return true;
  }

  protected override describe(): ResponseTerms {
    const { targetWeight: option, nonTargetWeight: otherOption } = this;
    return { kernel: { binary: DIVERGENCES, name: 'decoupled', option, otherOption } };
  }

  protected override softLoss(columns: number): SoftLoss {
    const target = targetDivergence(columns);
    const others = othersDivergence(columns);
    return (row) => {
      row.derivative.fill(0);
      return target(row, this.targetWeight) + others(row, this.nonTargetWeight);
    };
  }
}
