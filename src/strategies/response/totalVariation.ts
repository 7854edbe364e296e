import type { RuledOutBy } from '../../call/diagnosis.js';
import type { FloatArray } from '../../core/numeric.js';
import { DIVERGENCES } from '../../engine/binaries/divergences.js';
import { totalVariation } from '../../kernels/rows/divergences.js';
import type { DistributionRow } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { DivergenceDistillationStrategyBase, type DivergenceOptions } from './divergence.js';

/**
 * Matches the student's softened class probabilities to the teacher's by the probability that is in
 * the wrong place.
 *
 * ```math
 * L = α CE(s, y) + (1 − α) T² ½ Σ_j |p_j − q_j|
 * p = softmax(t / T)
 * q = softmax(s / T)
 * ```
 *
 * Use it when no single row may dominate the batch: the soft loss of a row is at most T².
 *
 * Avoid it for the last steps: near the minimum its gradient does not fade, and the student jumps.
 *
 * s and t are rows of student and teacher, y is the label, and the loss is the mean over rows. An
 * unlabelled row has the soft loss alone, with weight 1. The cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, finite or −Infinity (a class that
 *   is ruled out). The teacher may be {@link SparseTargets}; see the option `tail`.
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions.
 *
 * Returns a loss ≥ 0, the soft loss at most T²; 0 at student = teacher without labels. Each row of
 * the gradient sums to 0. A constant added to a row of logits changes neither loss nor gradient.
 *
 * The derivative by a probability that is equal on both sides to the last bit is taken as 0.
 *
 * Cost: two exponentials for each logit, by the kernel that `kernelInfo` names. Beside the
 * gradient, it takes memory for a few rows.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `NOT_FINITE` (NaN, +Infinity),
 *   `OUT_OF_RANGE` (temperature, alpha, labels, indices), `NOT_A_DISTRIBUTION` (labels,
 *   log-probabilities), `RULED_OUT` (a label), `TEMPERATURE` and `MISPLACED_OPTION` (a sparse
 *   teacher that does not fit the options)
 * @see [Wen et al. 2023](https://arxiv.org/abs/2307.15190), §3.2. "f-Divergence Minimization for
 *   Sequence-Level Knowledge Distillation". As in the paper with `temperature: 1`.
 * @reproduces DistillKit
 * @reproduces DistiLLM: `temperature: 1, alpha: 0`
 * @differs Liger: takes probabilities; its derivative at a tie is −½
 *
 * @example
 * ```ts
 * import { Matrix, TotalVariationDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new TotalVariationDistillationStrategy({ temperature: 2 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 1.0242
 * ```
 */
export class TotalVariationDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DivergenceDistillationStrategyBase<T> {
  constructor(options: DivergenceOptions = {}) {
    super(options);
  }

  override get name(): string {
    return 'TotalVariationDistillationStrategy';
  }

  protected override get ruledOutBy(): RuledOutBy {
    return 'neither';
  }

  protected override describe(): ResponseTerms {
    return { ...super.describe(), kernel: { binary: DIVERGENCES, name: 'totalVariation' } };
  }

  protected override divergence(row: DistributionRow): number {
    return totalVariation(row);
  }
}
