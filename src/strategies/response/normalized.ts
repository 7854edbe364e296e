import type { Blend } from '../../call/options.js';
import { checkNonNegative } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { DIVERGENCES } from '../../engine/binaries/divergences.js';
import { othersDivergence } from '../../kernels/rows/decoupled.js';
import type { SoftLoss } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { ResponseDistillationStrategyBase, type ResponseOptions } from './base.js';

/** Options of {@link NormalizedDistillationStrategy}. */
export interface NormalizedDistillationOptions extends ResponseOptions {
  /**
   * Weight of the cross-entropy with the label, beside the teacher's probability for it, ≥ 0.
   * @defaultValue 1
   */
  readonly targetWeight?: number | undefined;
  /**
   * Weight of the divergence among the other classes, ≥ 0.
   * @defaultValue 1.5
   */
  readonly nonTargetWeight?: number | undefined;
}

/**
 * Matches the label with the teacher's confidence in it, and the other classes by their normalized
 * KL divergence.
 *
 * ```math
 * L = α CE(s, y) + (1 − α) (v p_y CE(s, y) + w T² NCKD)
 * NCKD = KL(softmax_(j ≠ y)(t / T) ‖ softmax_(j ≠ y)(s / T))
 * p = softmax(t)
 * ```
 *
 * Use it like `Decoupled`, when the label should count by the teacher's confidence in it.
 *
 * Avoid it for rows without a class, and for two classes: there, the divergence is 0.
 *
 * v is the option `targetWeight`, w the option `nonTargetWeight`. The probabilities of the other
 * classes are divided by their sum on both sides, so they can be matched for any probability of the
 * label. Both cross-entropies and p_y are at temperature 1, and of the raw logits where
 * `standardizeLogits` is true. s and t are rows of student and teacher, y is the label, and the
 * loss is the mean over rows.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, finite or −Infinity (a class that
 *   is ruled out). The student must not rule out a class that the teacher allows. The divergence is
 *   0 with two classes, and where the teacher rules out all classes but the label.
 * - labels: a class for every row, as an index in [0, classes) or one-hot; `IGNORE_INDEX` excludes
 *   a row.
 *
 * Returns a loss ≥ 0 in nats. It is not 0 at student = teacher: the label has probability p_y
 * there, and the cross-entropy asks for more. Each row of the gradient sums to 0. A constant added
 * to a row of logits changes neither loss nor gradient. By default `temperature` is 1 and `alpha`
 * is ½.
 *
 * Cost: four exponentials for each logit, by the kernel that `kernelInfo` names. Beside the
 * gradient, it takes memory for a few rows.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `NOT_FINITE` (NaN, +Infinity),
 *   `RULED_OUT`, `LABEL_REQUIRED` (a row without a class), `OUT_OF_RANGE` (weights, temperature,
 *   alpha, labels), `NOT_A_DISTRIBUTION` (labels)
 * @see [Yang et al. 2023](https://arxiv.org/abs/2303.13005), §3.2. "From Knowledge Distillation to
 *   Self-Knowledge Distillation: A Unified Approach with Normalized Loss and Customized Soft
 *   Labels". The paper adds the cross-entropy at weight 1, and takes a cross-entropy for the
 *   divergence: its value is larger by the entropy of the teacher's other classes, its gradient is
 *   × 2 of this one by default.
 *
 * @example
 * ```ts
 * import { Matrix, NormalizedDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new NormalizedDistillationStrategy({ temperature: 2 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const labels = Int32Array.of(1);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, labels);
 * console.log(loss.toFixed(4)); // 0.4939
 * ```
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
      // The divergence skips the label and classes of probability 0; it may miss NaN or +Infinity.
      return row.student.every((logit) => logit < Infinity) ? others(row, 1) : Number.NaN;
    };
  }
}
