import type { Blend } from '../../call/options.js';
import { checkNonNegative } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { DIVERGENCES } from '../../engine/binaries/divergences.js';
import { othersDivergence, targetDivergence } from '../../kernels/rows/decoupled.js';
import type { SoftLoss } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { ResponseDistillationStrategyBase, type ResponseOptions } from './base.js';

/** Options of {@link DecoupledDistillationStrategy}. */
export interface DecoupledDistillationOptions extends ResponseOptions {
  /**
   * Weight of the divergence of the label against all other classes, ≥ 0.
   * @defaultValue 1
   */
  readonly targetWeight?: number | undefined;
  /**
   * Weight of the divergence among the other classes, ≥ 0.
   * @defaultValue 8
   */
  readonly nonTargetWeight?: number | undefined;
}

/**
 * Matches the label against the other classes, and the other classes among themselves, by two
 * weighted KL divergences.
 *
 * ```math
 * L = α CE(s, y) + (1 − α) T² (v TCKD + w NCKD)
 * TCKD = KL([p_y, 1 − p_y] ‖ [q_y, 1 − q_y])
 * NCKD = KL(softmax_(j ≠ y)(t / T) ‖ softmax_(j ≠ y)(s / T))
 * p = softmax(t / T)
 * q = softmax(s / T)
 * ```
 *
 * Use it with confident teachers and a class in every row: the other classes keep their weight.
 *
 * Avoid it for rows without a class, and for two classes: there, NCKD is 0.
 *
 * v is the option `targetWeight`, w the option `nonTargetWeight`. The divergence of `Response` is
 * TCKD + (1 − p_y) · NCKD: a teacher that is sure of the label mutes what it knows of the other
 * classes. Here NCKD has a weight of its own. s and t are rows of student and teacher, y is the
 * label, and the loss is the mean over rows. The cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, finite or −Infinity (a class that
 *   is ruled out). The student must not rule out a class that the teacher allows. NCKD is 0 with
 *   two classes, and where the teacher rules out all classes but the label.
 * - labels: a class for every row, as an index in [0, classes) or one-hot; `IGNORE_INDEX` excludes
 *   a row.
 *
 * Returns a loss ≥ 0 in nats; 0 at student = teacher and `alpha: 0`. Each row of the gradient sums
 * to 0. A constant added to a row of logits changes neither loss nor gradient. By default
 * `temperature` is 4 and `alpha` is ½.
 *
 * Cost: four to five exponentials for each logit, by the kernel that `kernelInfo` names. Beside the
 * gradient, it takes memory for a few rows.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `NOT_FINITE` (NaN, +Infinity),
 *   `RULED_OUT`, `LABEL_REQUIRED` (a row without a class), `OUT_OF_RANGE` (weights, temperature,
 *   alpha, labels), `NOT_A_DISTRIBUTION` (labels)
 * @see [Zhao et al. 2022](https://arxiv.org/abs/2203.08679), §3. "Decoupled Knowledge
 *   Distillation". The paper adds cross-entropy, TCKD and NCKD with weights 1, 1 and 8: × 2 of this
 *   loss by default.
 * @reproduces mdistiller: `alpha: 0` without its cross-entropy; × 2 with it
 *
 * @example
 * ```ts
 * import { DecoupledDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new DecoupledDistillationStrategy({ nonTargetWeight: 2 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const labels = Int32Array.of(1);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, labels);
 * console.log(loss.toFixed(4)); // 0.5827
 * ```
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
