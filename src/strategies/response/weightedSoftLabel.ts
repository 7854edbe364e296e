import type { Blend } from '../../call/options.js';
import type { FloatArray } from '../../core/numeric.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import { forwardDivergence } from '../../kernels/rows/divergences.js';
import { divergenceLoss } from './_divergenceLoss.js';
import type { SoftLoss } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { ResponseDistillationStrategyBase, type ResponseOptions } from './base.js';

/** Added to the teacher's cross-entropy, as in the authors' code. */
const EPSILON = 1e-7;

/**
 * Matches the student's softened class probabilities to the teacher's, less where the student knows
 * the label better.
 *
 * ```math
 * L = α CE(s, y) + (1 − α) w T² KL(p ‖ q)
 * w = 1 − exp(−CE(s, y) / (CE(t, y) + 10^(−7)))
 * p = softmax(t / T)
 * q = softmax(s / T)
 * ```
 *
 * Use it when the teacher is often wrong and every row has a correct label.
 *
 * Avoid it for rows without a class, and for wrong labels: a learned wrong label counts as known.
 *
 * The weight w is small where the student knows the label better than the teacher: there, the soft
 * label would hold the student back. s and t are rows of student and teacher, y is the label, and
 * the loss is the mean over rows. The cross-entropies are at temperature 1, and of the raw logits
 * where `standardizeLogits` is true.
 *
 * **w is a constant to the gradient**, as in the paper, although it depends on the student. The
 * derivative of w would reward the student for knowing the label, by making the teacher count less.
 * The gradient is exact for the loss with w held constant. It is not the derivative of the returned
 * value.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, finite or −Infinity (a class that
 *   is ruled out). The student must not rule out a class that the teacher allows, nor the label.
 * - labels: a class for every row, as an index in [0, classes) or one-hot; `IGNORE_INDEX` excludes
 *   a row.
 *
 * Returns a loss ≥ 0 in nats; 0 at student = teacher and `alpha: 0`. Each row of the gradient sums
 * to 0. A constant added to a row of logits changes neither loss nor gradient. By default
 * `temperature` is 4 and `alpha` is 1 / 3.25.
 *
 * Cost: five exponentials for each logit, by the kernel that `kernelInfo` names. Beside the
 * gradient, it takes memory for a few rows.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `NOT_FINITE` (NaN, +Infinity),
 *   `RULED_OUT`, `LABEL_REQUIRED` (a row without a class), `OUT_OF_RANGE` (temperature, alpha,
 *   labels), `NOT_A_DISTRIBUTION` (labels)
 * @see [Zhou et al. 2021](https://arxiv.org/abs/2102.00650), §4. "Rethinking Soft Labels for
 *   Knowledge Distillation: A Bias-Variance Tradeoff Perspective". The paper has weights 1 and
 *   2.25, and takes a cross-entropy for the divergence: its value is larger by w times the
 *   teacher's entropy, its gradient is × 3.25 of this one by default.
 *
 * @example
 * ```ts
 * import { Matrix, WeightedSoftLabelDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new WeightedSoftLabelDistillationStrategy({ temperature: 2 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const labels = Int32Array.of(1);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, labels);
 * console.log(loss.toFixed(4)); // 0.5299
 * ```
 */
export class WeightedSoftLabelDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends ResponseDistillationStrategyBase<T> {
  constructor(options: ResponseOptions = {}) {
    super(options);
  }

  override get name(): string {
    return 'WeightedSoftLabelDistillationStrategy';
  }

  override get isSumOverRows(): true {
    return true;
  }

  protected override get defaults(): Blend {
    return { temperature: 4, alpha: 1 / 3.25 };
  }

  protected override get needsClasses(): boolean {
    return true;
  }

  protected override describe(): ResponseTerms {
    return {
      kernel: { binary: RESPONSE, name: 'forward' },
      sharesOf: ({ student, teacher }) => ({
        hard: 0,
        soft: -Math.expm1(-student / (teacher + EPSILON)),
      }),
    };
  }

  protected override softLoss(columns: number): SoftLoss {
    return divergenceLoss(forwardDivergence, columns);
  }
}
