import type { RuledOutBy } from '../../call/diagnosis.js';
import type { FloatArray } from '../../core/numeric.js';
import { DIVERGENCES } from '../../engine/binaries/divergences.js';
import { reverseDivergence } from '../../kernels/rows/divergences.js';
import type { DistributionRow } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { DivergenceDistillationStrategyBase, type DivergenceOptions } from './divergence.js';

/**
 * Matches the student's softened class probabilities to the teacher's by KL(student ‖ teacher).
 *
 * ```math
 * L = α CE(s, y) + (1 − α) T² KL(q ‖ p)
 * p = softmax(t / T)
 * q = softmax(s / T)
 * ```
 *
 * Use it when the student is too small to cover all that the teacher says, above all for language
 * models.
 *
 * Avoid it where rare classes must be kept: the student may drop them.
 *
 * The student has to put no probability where the teacher puts none. It need not cover every class
 * of the teacher. s and t are rows of student and teacher, y is the label, and the loss is the mean
 * over rows. An unlabelled row has the soft loss alone, with weight 1. The cross-entropy is at
 * temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, finite or −Infinity (a class that
 *   is ruled out). The teacher must not rule out a class that the student allows. The teacher may
 *   be {@link SparseTargets}; see the option `tail`.
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions.
 *
 * Returns a loss ≥ 0 in nats; 0 at student = teacher without labels. Each row of the gradient sums
 * to 0. A constant added to a row of logits changes neither loss nor gradient.
 *
 * Cost: two exponentials for each logit, by the kernel that `kernelInfo` names. Beside the
 * gradient, it takes memory for a few rows.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `NOT_FINITE` (NaN, +Infinity),
 *   `RULED_OUT`, `OUT_OF_RANGE` (temperature, alpha, labels, indices), `NOT_A_DISTRIBUTION`
 *   (labels, log-probabilities), `TEMPERATURE` and `MISPLACED_OPTION` (a sparse teacher that does
 *   not fit the options)
 * @see [Gu et al. 2024](https://arxiv.org/abs/2306.08543), §2.1. "MiniLLM". The paper takes the
 *   divergence of whole sequences, by policy gradient; here it is the divergence of each token.
 * @see [Agarwal et al. 2024](https://arxiv.org/abs/2306.13649), §3. "On-Policy Distillation of
 *   Language Models". As in the paper (GKD) with `temperature: 1`.
 * @reproduces TRL: `temperatureSquared: false, alpha: 0` for GKD with beta 1
 * @reproduces Liger: `temperatureSquared: false, alpha: 0.5` for JSD with beta 1
 * @reproduces DistiLLM: `temperature: 1, alpha: 0`
 * @reproduces torchtune: `temperature: 1, alpha: 0`
 *
 * @example
 * ```ts
 * import { Matrix, ReverseKLDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new ReverseKLDistillationStrategy({ temperature: 1 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 0.4236
 * ```
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
