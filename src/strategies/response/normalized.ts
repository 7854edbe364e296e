import type { Blend } from '../../call/options.js';
import { checkNonNegative } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { DIVERGENCES } from '../../engine/binaries/divergences.js';
import { othersDivergence } from '../../kernels/rows/decoupled.js';
import type { SoftLoss } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { ResponseDistillationStrategyBase, type ResponseOptions } from './base.js';

export interface NormalizedDistillationOptions extends ResponseOptions {
  /**
   * What the cross-entropy with the label counts, times the probability that the teacher gives it,
   * ≥ 0; 1.
   */
  readonly targetWeight?: number | undefined;
  /** What the divergence among the other classes counts, ≥ 0; 1.5. */
  readonly nonTargetWeight?: number | undefined;
}

/**
 * Normalized distillation, mean over rows:
 *
 *     α · CE(student, y) + (1 − α) · (targetWeight · p_y · CE(student, y) + nonTargetWeight · T² · KL(p̂ ‖ q̂))
 *
 * with the label y, p_y = softmax(teacher)_y, and p̂ and q̂ the softmax of teacher / T and student
 * / T over all classes but y. Both cross-entropies and p_y are at temperature 1, and of the raw
 * logits where others are standardized. Divided so, the shares of the other classes sum to 1 on
 * both sides, and can be matched whatever the two give to the label.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, any finite value or −Infinity (a
 *   class ruled out). What the teacher allows the student must not rule out. Of two classes, and
 *   where the teacher rules out all but the label, the divergence is 0.
 * - labels: a class for every row, as an index in [0, classes) or one-hot; `IGNORE_INDEX` takes a
 *   row out.
 *
 * Returns a loss ≥ 0 in nats, which is not 0 at student = teacher: the label has p_y there, and the
 * loss wants more. Each row of the gradient sums to 0, and neither changes when a constant is added
 * to a row. `temperature` is 1 and `alpha` ½ where nobody says otherwise.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, DTYPE_MISMATCH, NOT_FINITE (NaN, +Infinity),
 * RULED_OUT, LABEL_REQUIRED (a row without a class), OUT_OF_RANGE (weights, temperature, alpha,
 * labels), NOT_A_DISTRIBUTION (labels).
 *
 * Cost: four exponentials for each logit, by the kernel that `kernelInfo` names; beside the
 * gradient, memory for a few rows.
 *
 * Yang et al. (2023), "From Knowledge Distillation to Self-Knowledge Distillation: A Unified
 * Approach with Normalized Loss and Customized Soft Labels", §3.2, arXiv:2303.13005. There the
 * cross-entropy with the label is added at weight 1: twice what this is by default; and the last
 * term is a cross-entropy, of the same gradient.
 *
 * @example
 * import { Matrix, NormalizedDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new NormalizedDistillationStrategy({ temperature: 2 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, Int32Array.of(1));
 */
export class NormalizedDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends ResponseDistillationStrategyBase<T> {
  readonly targetWeight: number;
  readonly nonTargetWeight: number;

  constructor(options: NormalizedDistillationOptions = {}) {
    super(options, ['targetWeight', 'nonTargetWeight']);
    const { targetWeight = 1, nonTargetWeight = 1.5 } = options;
    this.targetWeight = checkNonNegative(this.name, 'targetWeight', targetWeight);
    this.nonTargetWeight = checkNonNegative(this.name, 'nonTargetWeight', nonTargetWeight);
  }

  override get name(): string {
    return 'NormalizedDistillationStrategy';
  }

  override get isSumOverRows(): true {
    return true;
  }

  protected override get defaults(): Blend {
    return { temperature: 1, alpha: 0.5 };
  }

  protected override get needsClasses(): boolean {
    return true;
  }

  protected override describe(): ResponseTerms {
    const { targetWeight, nonTargetWeight: soft } = this;
    return {
      kernel: { binary: DIVERGENCES, name: 'decoupled', option: 0, otherOption: 1 },
      sharesOf: ({ teacher }) => ({ hard: targetWeight * Math.exp(-teacher), soft }),
    };
  }

  protected override softLoss(columns: number): SoftLoss {
    const others = othersDivergence(columns);
    return (row) => {
      row.derivative.fill(0);
      // Of a label, or of others, to which the teacher gives nothing, nobody else might see a NaN.
      return row.student.every((logit) => logit < Infinity) ? others(row, 1) : Number.NaN;
    };
  }
}
