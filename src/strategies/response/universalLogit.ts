import type { RuledOutBy } from '../../call/diagnosis.js';
import type { Blend } from '../../call/options.js';
import type { FloatArray } from '../../core/numeric.js';
import { DIVERGENCES } from '../../engine/binaries/divergences.js';
import { sortedVariation } from '../../kernels/rows/universalLogit.js';
import type { SoftLoss } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { ResponseDistillationStrategyBase, type ResponseOptions } from './base.js';

/**
 * Universal logit distillation, from a teacher with a vocabulary of its own, mean over rows:
 *
 *     α · CE(student, label) + (1 − α) · T² · Σ over ranks of |q₍ᵣ₎ − p₍ᵣ₎|
 *
 * with p₍ᵣ₎ the r-th largest of softmax(teacher / T), q₍ᵣ₎ that of softmax(student / T), and 0
 * beyond the smaller vocabulary: how sure the teacher is, and between how many tokens, whatever
 * tokens they are. A row without a label has the soft term alone; the cross-entropy is at
 * temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, any finite value or −Infinity (a
 *   class ruled out). The classes of the teacher may be others, and more or fewer; the rows must be
 *   about the same tokens of the text.
 * - labels: class indices in [0, the student's classes), `UNLABELED` or `IGNORE_INDEX`; or rows
 *   that are distributions.
 *
 * Returns a loss ≥ 0, the soft term below 2 T²; 0 where both sides have the same probabilities in
 * any order, without labels. The derivative is that of the probabilities as they are paired: by one
 * that is equal on both sides it is taken as 0, and equal logits share theirs. Each row of the
 * gradient sums to 0. `temperature` is 1 and `alpha` 0.4 where nobody says otherwise.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (rows, labels), DTYPE_MISMATCH, NOT_FINITE (NaN,
 * +Infinity), OUT_OF_RANGE (temperature, alpha, labels), NOT_A_DISTRIBUTION (labels), RULED_OUT (a
 * label).
 *
 * Cost: both rows are sorted; two exponentials for each logit, by the kernel that `kernelInfo`
 * names; beside the gradient, memory for a few rows.
 *
 * Boizard et al. (2024), "Towards Cross-Tokenizer Distillation: the Universal Logit Distillation
 * Loss for LLMs", §3, arXiv:2402.12030: at T = 1, where CE + 1.5 · soft is 2.5 times what this is
 * by default. To bring the two tokenizations to the same rows is left to the caller; the paper cuts
 * the longer one.
 *
 * @example
 * import { Matrix, UniversalLogitDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new UniversalLogitDistillationStrategy();
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0, 0.5, 2.0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, Int32Array.of(1));
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
      // Twice the total variation of the probabilities in descending order.
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
