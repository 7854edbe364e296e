import type { Blend } from '../../call/options.js';
import type { FloatArray } from '../../core/numeric.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import { forwardDivergence } from '../../kernels/rows/divergences.js';
import { divergenceLoss } from './_divergenceLoss.js';
import type { SoftLoss } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { ResponseDistillationStrategyBase, type ResponseOptions } from './base.js';

/** What is added to the teacher's cross-entropy, as in the authors' code. */
const EPSILON = 1e-7;

/**
 * Distillation by weighted soft labels, mean over rows:
 *
 *     α · CE(student, y) + (1 − α) · w · T² · KL(softmax(teacher / T) ‖ softmax(student / T))
 *     w = 1 − exp(−CE(student, y) / (CE(teacher, y) + 1e-7))
 *
 * with the label y. Where the student knows the label better than the teacher, w is small: the
 * row's soft label would only hold it back. The cross-entropies are at temperature 1, and of the
 * raw logits where others are standardized.
 *
 * **w is a constant to the gradient**, though the student determines it, as in the paper: its
 * derivative would pay the student for knowing the label so that the teacher counts less. The
 * gradient is that of the loss with w held, and not the derivative of the value that is returned.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, any finite value or −Infinity (a
 *   class ruled out). What the teacher allows, and the label, the student must not rule out.
 * - labels: a class for every row, as an index in [0, classes) or one-hot; `IGNORE_INDEX` takes a
 *   row out.
 *
 * Returns a loss ≥ 0 in nats; 0 at student = teacher and alpha = 0. Each row of the gradient sums
 * to 0, and neither changes when a constant is added to a row. `temperature` is 4 and `alpha` 1 /
 * 3.25 where nobody says otherwise.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, DTYPE_MISMATCH, NOT_FINITE (NaN, +Infinity),
 * RULED_OUT, LABEL_REQUIRED (a row without a class), OUT_OF_RANGE (temperature, alpha, labels),
 * NOT_A_DISTRIBUTION (labels).
 *
 * Cost: five exponentials for each logit, by the kernel that `kernelInfo` names; beside the
 * gradient, memory for a few rows.
 *
 * Zhou et al. (2021), "Rethinking Soft Labels for Knowledge Distillation: A Bias-Variance Tradeoff
 * Perspective", §4, arXiv:2102.00650. There the cross-entropy with the label has weight 1 and the
 * rest 2.25: 3.25 times what this is by default; and the divergence is a cross-entropy, of the same
 * gradient.
 *
 * @example
 * import { Matrix, WeightedSoftLabelDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new WeightedSoftLabelDistillationStrategy({ temperature: 2 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, Int32Array.of(1));
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
