import type { RuledOutBy } from '../../call/diagnosis.js';
import type { Blend } from '../../call/options.js';
import type { FloatArray } from '../../core/numeric.js';
import { DIVERGENCES } from '../../engine/binaries/divergences.js';
import { sortedVariation } from '../../kernels/rows/universalLogit.js';
import type { SoftLoss } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { ResponseDistillationStrategyBase, type ResponseOptions } from './base.js';

/**
 * Matches the sorted probabilities of a student to those of a teacher with another vocabulary, rank
 * by rank.
 *
 * ```math
 * L = α CE(s, y) + (1 − α) T² Σ_r |q_((r)) − p_((r))|
 * p = softmax(t / T)
 * q = softmax(s / T)
 * ```
 *
 * Use it when teacher and student have different vocabularies whose tokens cannot be matched.
 *
 * Avoid it where tokens can be matched: it does not see which tokens they are.
 *
 * p_((r)) is the r-th largest element of p, and 0 beyond the smaller vocabulary. The student learns
 * how sure the teacher is, and between how many tokens. Bringing two tokenizations of a text to the
 * same rows is left to the caller. s and t are rows of student and teacher, y is the label, and the
 * loss is the mean over rows. An unlabelled row has the soft loss alone, with weight 1. The
 * cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, finite or −Infinity (a class that
 *   is ruled out). The two sides may have different classes, also different numbers of them. A row
 *   must be about the same token of the text on both sides.
 * - labels: class indices in [0, classes of the student), `UNLABELED` or `IGNORE_INDEX`; or rows
 *   that are distributions.
 *
 * Returns a loss ≥ 0, the soft loss below 2 T²; 0 without labels where both sides have the same
 * probabilities in any order. The derivative is taken for the pairing of the sorted probabilities:
 * it is 0 by a probability that is equal on both sides, and equal logits share their derivative.
 * Each row of the gradient sums to 0. By default `temperature` is 1 and `alpha` is 0.4.
 *
 * Cost: both rows are sorted; two exponentials for each logit, by the kernel that `kernelInfo`
 * names. Beside the gradient, it takes memory for a few rows.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` (rows, labels), `DTYPE_MISMATCH`, `NOT_FINITE` (NaN,
 *   +Infinity), `OUT_OF_RANGE` (temperature, alpha, labels), `NOT_A_DISTRIBUTION` (labels),
 *   `RULED_OUT` (a label)
 * @see [Boizard et al. 2024](https://arxiv.org/abs/2402.12030), §3. "Towards Cross-Tokenizer
 *   Distillation: the Universal Logit Distillation Loss for LLMs". The paper takes CE + 1.5 · soft:
 *   × 2.5 of this loss by default. It cuts the longer of two tokenizations.
 * @reproduces TRL: `temperatureSquared: false, alpha: 0` for the ULD of aligned tokens in GOLD
 *
 * @example
 * ```ts
 * import { Matrix, UniversalLogitDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new UniversalLogitDistillationStrategy();
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0, 0.5, 2.0]]);
 * const labels = Int32Array.of(1);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, labels);
 * console.log(loss.toFixed(4)); // 0.3046
 * ```
 */
export class UniversalLogitDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends ResponseDistillationStrategyBase<T> {
  constructor(options: ResponseOptions = {}) {
    super(options);
  }

  override get name(): string {
    return 'UniversalLogitDistillationStrategy';
  }

  override get isSumOverRows(): true {
    return true;
  }

  protected override get defaults(): Blend {
    return { temperature: 1, alpha: 0.4 };
  }

  protected override describe(): ResponseTerms {
    return {
      // The loss is twice the total variation of the sorted probabilities.
      kernel: { binary: DIVERGENCES, name: 'totalVariation', ranks: true },
      softWeight: 2,
      sharesClasses: false,
    };
  }

  protected override get ruledOutBy(): RuledOutBy {
    return 'neither';
  }

  protected override softLoss(columns: number): SoftLoss {
    const variation = sortedVariation(columns);
    return ({ student, teacher, derivative }) => variation(student, teacher, derivative);
  }
}
