import type { RuledOutBy } from '../../call/diagnosis.js';
import { checkNumber } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { DIVERGENCES } from '../../engine/binaries/divergences.js';
import { mixtureDivergence } from '../../kernels/rows/divergences.js';
import type { DistributionRow } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { DivergenceDistillationStrategyBase, type DivergenceOptions } from './divergence.js';

/** Options of {@link SkewReverseKLDistillationStrategy}. */
export interface SkewReverseKLDistillationOptions extends DivergenceOptions {
  /**
   * The student's share λ of the mixture, in (0, 1).
   * @defaultValue 0.1
   */
  readonly lambda?: number | undefined;
}

/**
 * Matches the student's softened class probabilities to the teacher's by KL(student ‖ mixture of
 * both).
 *
 * ```math
 * L = α CE(s, y) + (1 − α) T² KL(q ‖ m)
 * m = (1 − λ) p + λ q
 * p = softmax(t / T)
 * q = softmax(s / T)
 * ```
 *
 * Use it instead of `ReverseKL` where the teacher gives classes almost no probability, or rules
 * them out.
 *
 * Avoid it where `ReverseKL` is finite and trains well.
 *
 * The mixture keeps the divergence finite where one side has no probability, and keeps its gradient
 * small. s and t are rows of student and teacher, y is the label, and the loss is the mean over
 * rows. An unlabelled row has the soft loss alone, with weight 1. The cross-entropy is at
 * temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, finite or −Infinity (a class that
 *   is ruled out). The teacher may be {@link SparseTargets}; see the option `tail`.
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions.
 *
 * Returns a loss ≥ 0 in nats, the soft loss at most −T² ln λ; 0 at student = teacher without
 * labels. Each row of the gradient sums to 0. A constant added to a row of logits changes neither
 * loss nor gradient.
 *
 * Cost: two exponentials and two logarithms for each logit, by the kernel that `kernelInfo` names.
 * Beside the gradient, it takes memory for a few rows.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `NOT_FINITE` (NaN, +Infinity),
 *   `OUT_OF_RANGE` (lambda, temperature, alpha, labels, indices), `NOT_A_DISTRIBUTION` (labels,
 *   log-probabilities), `RULED_OUT` (a label), `TEMPERATURE` and `MISPLACED_OPTION` (a sparse
 *   teacher that does not fit the options)
 * @see [Ko et al. 2024](https://arxiv.org/abs/2402.03898), §3.1. "DistiLLM". As in the paper with
 *   `temperature: 1`.
 * @reproduces DistiLLM: `temperature: 1, alpha: 0`
 *
 * @example
 * ```ts
 * import { Matrix, SkewReverseKLDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new SkewReverseKLDistillationStrategy({ lambda: 0.1, temperature: 1 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 0.2905
 * ```
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
    // The kernel adds m − q to each term q (log q − log m); m − q is (1 − lambda) (p − q).
    return { ...super.describe(), kernel, completion: -option };
  }

  protected override divergence(row: DistributionRow): number {
    return mixtureDivergence(row, { p: 1 - this.lambda, q: this.lambda }, { p: 0, q: 1 });
  }
}
