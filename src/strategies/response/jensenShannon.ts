import type { RuledOutBy } from '../../call/diagnosis.js';
import { checkChoice, checkNumber } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { DIVERGENCES } from '../../engine/binaries/divergences.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import {
  forwardDivergence,
  mixtureDivergence,
  reverseDivergence,
} from '../../kernels/rows/divergences.js';
import type { DistributionRow } from './_softRows.js';
import type { ResponseTerms, SoftKernel } from './_terms.js';
import { DivergenceDistillationStrategyBase, type DivergenceOptions } from './divergence.js';

/** Options of {@link JensenShannonDistillationStrategy}. */
export interface JensenShannonDistillationOptions extends DivergenceOptions {
  /**
   * The teacher's share β of the mixture, in (0, 1); with `scale: 'kl-limits'` in [0, 1].
   * @defaultValue 0.5
   */
  readonly beta?: number | undefined;
  /**
   * `'plain'` is the definition; `'kl-limits'` divides it by β (1 − β).
   * @defaultValue 'plain'
   */
  readonly scale?: 'plain' | 'kl-limits' | undefined;
}

/**
 * Matches the student's softened class probabilities to the teacher's by the generalized
 * Jensen-Shannon divergence.
 *
 * ```math
 * L = α CE(s, y) + (1 − α) T² JSD(p, q)
 * JSD(p, q) = β KL(p ‖ m) + (1 − β) KL(q ‖ m)
 * m = β p + (1 − β) q
 * p = softmax(t / T)
 * q = softmax(s / T)
 * ```
 *
 * Use it for a bounded loss between forward KL (`beta` near 0) and reverse KL (near 1).
 *
 * Avoid it as a first try: `beta` is one more number to search.
 *
 * The plain JSD tends to 0 at β = 0 and at β = 1. With `scale: 'kl-limits'` it is divided by β (1 −
 * β), and is KL(p ‖ q) at β = 0 and KL(q ‖ p) at β = 1. s and t are rows of student and teacher, y
 * is the label, and the loss is the mean over rows. An unlabelled row has the soft loss alone, with
 * weight 1. The cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, finite or −Infinity (a class that
 *   is ruled out). The loss is finite where one side rules a class out, except at the two ends of
 *   `kl-limits`. The teacher may be {@link SparseTargets}; see the option `tail`.
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions.
 *
 * Returns a loss ≥ 0 in nats, the plain soft loss at most T² · (−β ln β − (1 − β) ln(1 − β)); 0 at
 * student = teacher without labels. Each row of the gradient sums to 0. A constant added to a row
 * of logits changes neither loss nor gradient.
 *
 * Cost: two exponentials and two logarithms for each logit, by the kernel that `kernelInfo` names.
 * Beside the gradient, it takes memory for a few rows.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `NOT_FINITE` (NaN, +Infinity),
 *   `OUT_OF_RANGE` (beta, temperature, alpha, labels, indices), `NOT_A_DISTRIBUTION` (labels,
 *   log-probabilities), `RULED_OUT` (a label; at β = 0 and β = 1 a class, as for `Response` and
 *   `ReverseKL`), `TEMPERATURE` and `MISPLACED_OPTION` (a sparse teacher that does not fit the
 *   options)
 * @see [Agarwal et al. 2024](https://arxiv.org/abs/2306.13649), §3. "On-Policy Distillation of
 *   Language Models". As in the paper (GKD) with `temperature: 1`; its code takes the two KL
 *   divergences at beta 0 and 1, for which set `scale: 'kl-limits'`.
 * @reproduces TRL: `temperatureSquared: false, alpha: 0`; for beta 0 and 1 `scale: 'kl-limits'`
 * @reproduces DistillKit: `beta: 0.5`
 * @reproduces Liger: `temperatureSquared: false, alpha: 0.5`; for beta 0 and 1 `scale: 'kl-limits'`
 * @reproduces DistiLLM: `beta` 1 − lam, `temperature: 1, alpha: 0`
 *
 * @example
 * ```ts
 * import { JensenShannonDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new JensenShannonDistillationStrategy({ beta: 0.5, temperature: 1 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 0.0786
 * ```
 */
export class JensenShannonDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DivergenceDistillationStrategyBase<T> {
  readonly beta: number;
  readonly scale: 'plain' | 'kl-limits';

  constructor(options: JensenShannonDistillationOptions = {}) {
    super(options, ['beta', 'scale']);
    const { beta = 0.5, scale = 'plain' } = options;
    this.scale = checkChoice(this.name, 'scale', scale, ['plain', 'kl-limits']);
    const isOpen = scale === 'plain';
    const expected = isOpen ? "be in (0, 1), or [0, 1] with scale: 'kl-limits'" : 'be in [0, 1]';
    const inRange = (x: number) => (isOpen ? x > 0 && x < 1 : x >= 0 && x <= 1);
    this.beta = checkNumber(this.name, 'beta', beta, expected, inRange);
  }

  override get name(): string {
    return 'JensenShannonDistillationStrategy';
  }

  protected override get ruledOutBy(): RuledOutBy {
    if (this.beta === 0) return 'student';
    return this.beta === 1 ? 'teacher' : 'neither';
  }

  protected override describe(): ResponseTerms {
    const { beta, scale } = this;
    // At the two ends the kernels are those of the KL divergences, whose terms hold ±(q − p). The
    // terms between the ends hold the formula alone.
    const completion = beta === 0 ? 1 : beta === 1 ? -1 : 0;
    const softWeight = scale === 'plain' || completion !== 0 ? 1 : 1 / (beta * (1 - beta));
    return { ...super.describe(), kernel: kernelOf(beta), completion, softWeight };
  }

  protected override divergence(row: DistributionRow): number {
    const { beta } = this;
    if (beta === 0) return forwardDivergence(row);
    if (beta === 1) return reverseDivergence(row);
    const shares = { p: beta, q: 1 - beta };
    return mixtureDivergence(row, shares, shares);
  }
}

/** The kernel; at the two ends the kernel of a KL divergence. */
function kernelOf(beta: number): SoftKernel {
  if (beta === 0) return { binary: RESPONSE, name: 'forward' };
  if (beta === 1) return { binary: DIVERGENCES, name: 'reverse' };
  return { binary: DIVERGENCES, name: 'jensenShannon', option: beta, otherOption: 1 - beta };
}
