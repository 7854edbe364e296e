import type { RuledOutBy } from '../../call/diagnosis.js';
import { checkNumber } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { DIVERGENCES } from '../../engine/binaries/divergences.js';
import { mixtureDivergence } from '../../kernels/rows/divergences.js';
import type { DistributionRow } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { DivergenceDistillationStrategyBase, type DivergenceOptions } from './divergence.js';

export interface SkewReverseKLDistillationOptions extends DivergenceOptions {
  /** The student's share of the mixture, in (0, 1); 0.1. */
  readonly lambda?: number | undefined;
}

/**
 * Distillation by the skew reverse divergence, mean over rows:
 *
 *     α · CE(student, label) + (1 − α) · T² · KL(q ‖ (1 − lambda) · p + lambda · q)
 *
 * with p = softmax(teacher / T) and q = softmax(student / T). The mixture keeps the reverse
 * divergence finite where one side has no probability, and its gradient small. A row without a
 * label has the soft term alone; the cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, any finite value or −Infinity (a
 *   class ruled out). The teacher may be {@link SparseTargets}, see the option `tail`.
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions.
 *
 * Returns a loss ≥ 0 in nats, the soft term at most −T² ln lambda; 0 at student = teacher without
 * labels. Each row of the gradient sums to 0, and neither changes when a constant is added to a
 * row.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, DTYPE_MISMATCH, NOT_FINITE (NaN, +Infinity),
 * OUT_OF_RANGE (lambda, temperature, alpha, labels, indices), NOT_A_DISTRIBUTION (labels,
 * log-probabilities), RULED_OUT (a label), TEMPERATURE and MISPLACED_OPTION (what a sparse teacher
 * cannot give).
 *
 * Cost: two exponentials and two logarithms for each logit, by the kernel that `kernelInfo` names;
 * beside the gradient, memory for a few rows.
 *
 * Ko et al. (2024), "DistiLLM", §3.1, arXiv:2402.03898: at T = 1 and without T².
 *
 * @example
 * import { Matrix, SkewReverseKLDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new SkewReverseKLDistillationStrategy({ lambda: 0.1, temperature: 1 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 */
export class SkewReverseKLDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DivergenceDistillationStrategyBase<T> {
  readonly lambda: number;

  constructor(options: SkewReverseKLDistillationOptions = {}) {
    super(options, ['lambda']);
    const { lambda = 0.1 } = options;
    const inRange = (x: number) => x > 0 && x < 1;
    this.lambda = checkNumber(this.name, 'lambda', lambda, 'be in (0, 1)', inRange);
  }

  override get name(): string {
    return 'SkewReverseKLDistillationStrategy';
  }

  protected override get ruledOutBy(): RuledOutBy {
    return 'neither';
  }

  protected override describe(): ResponseTerms {
    const { lambda: otherOption } = this;
    const option = 1 - otherOption;
    const kernel = { binary: DIVERGENCES, name: 'skewReverse', option, otherOption };
    // A term q (log q − log m) comes with m − q beside it, which is (1 − lambda) (p − q).
    return { ...super.describe(), kernel, completion: -option };
  }

  protected override divergence(row: DistributionRow): number {
    return mixtureDivergence(row, { p: 1 - this.lambda, q: this.lambda }, { p: 0, q: 1 });
  }
}
