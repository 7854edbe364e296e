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

export interface JensenShannonDistillationOptions extends DivergenceOptions {
  /** The teacher's share of the mixture, in (0, 1), or [0, 1] with `scale: 'kl-limits'`; 0.5. */
  readonly beta?: number | undefined;
  /** `'plain'`, the definition; or `'kl-limits'`, divided by beta (1 − beta); `'plain'`. */
  readonly scale?: 'plain' | 'kl-limits' | undefined;
}

/**
 * Distillation by the generalized Jensen-Shannon divergence, mean over rows:
 *
 *     α · CE(student, label) + (1 − α) · T² · JSD(p, q),   p = softmax(teacher / T), q = softmax(student / T)
 *     JSD = beta · KL(p ‖ m) + (1 − beta) · KL(q ‖ m),   m = beta · p + (1 − beta) · q
 *
 * Of `scale: 'kl-limits'` it is JSD / (beta (1 − beta)), which goes over into KL(p ‖ q) at beta = 0
 * and KL(q ‖ p) at beta = 1, where the plain one goes to 0. A row without a label has the soft term
 * alone; the cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, any finite value or −Infinity (a
 *   class ruled out). The teacher may be {@link SparseTargets}, see the option `tail`.
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions. Where one side rules a class out, the loss is finite, except at the ends of
 *   `'kl-limits'`.
 *
 * Returns a loss ≥ 0 in nats, the plain soft term at most T² · (−beta ln beta − (1 − beta) ln(1 −
 * beta)); 0 at student = teacher without labels. Each row of the gradient sums to 0, and neither
 * changes when a constant is added to a row.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, DTYPE_MISMATCH, NOT_FINITE (NaN, +Infinity),
 * OUT_OF_RANGE (beta, temperature, alpha, labels, indices), NOT_A_DISTRIBUTION (labels,
 * log-probabilities), RULED_OUT (a label; at the ends of `'kl-limits'`, as of the two divergences),
 * TEMPERATURE and MISPLACED_OPTION (what a sparse teacher cannot give).
 *
 * Cost: two exponentials and two logarithms for each logit, by the kernel that `kernelInfo` names;
 * beside the gradient, memory for a few rows.
 *
 * Agarwal et al. (2024), "On-Policy Distillation of Language Models", §3, arXiv:2306.13649 (GKD):
 * the plain form, at T = 1 and without T². Its code takes the two divergences at beta = 0 and 1,
 * which the plain form does not tend to: say `'kl-limits'` for them.
 *
 * @example
 * import { JensenShannonDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new JensenShannonDistillationStrategy({ beta: 0.5, temperature: 1 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
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
    // At the ends the terms are those of the divergences themselves; between them, nothing is added
    // to the formula.
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

/** The kernel: at the ends, one of the two divergences. */
function kernelOf(beta: number): SoftKernel {
  if (beta === 0) return { binary: RESPONSE, name: 'forward' };
  if (beta === 1) return { binary: DIVERGENCES, name: 'reverse' };
  return { binary: DIVERGENCES, name: 'jensenShannon', option: beta, otherOption: 1 - beta };
}
