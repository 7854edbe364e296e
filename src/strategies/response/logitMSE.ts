import type { RuledOutBy } from '../../call/diagnosis.js';
import type { FloatArray } from '../../core/numeric.js';
import { NUMBERS } from '../../engine/binaries/numbers.js';
import { meanSquared } from '../../kernels/rows/distance.js';
import { scoreDistance } from '../../kernels/rows/scores.js';
import type { SoftLoss } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { ResponseDistillationStrategyBase, type ResponseOptions } from './base.js';

/**
 * Distillation by the squared difference of logits, mean over rows:
 *
 *     α · CE(student, label) + (1 − α) · T² · mean over classes of (student / T − teacher / T)²
 *
 * which is the mean of (student − teacher)² at any temperature, unless T² is turned off. A row
 * without a label has that alone; the cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], any finite value; −Infinity for a class
 *   that is ruled out on both sides, which adds 0.
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions.
 *
 * Returns a loss ≥ 0; 0 at student = teacher without labels.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, DTYPE_MISMATCH, NOT_FINITE (NaN, +Infinity),
 * OUT_OF_RANGE (temperature, alpha, labels), NOT_A_DISTRIBUTION (labels), RULED_OUT (on one side
 * alone, or a label).
 *
 * Cost: one pass; beside the gradient, memory for some rows.
 *
 * Ba & Caruana (2014), "Do Deep Nets Really Need to be Deep?", §2.2 eq. 1, arXiv:1312.6184, there
 * half the sum over classes. Kim et al. (2021), "Comparing Kullback-Leibler Divergence and Mean
 * Squared Error Loss in Knowledge Distillation", §3, arXiv:2105.08919: the sum over classes. Here
 * the mean, so that the weight does not depend on their number.
 *
 * @example
 * import { LogitMSEDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new LogitMSEDistillationStrategy({ alpha: 0.1 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 */
export class LogitMSEDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends ResponseDistillationStrategyBase<T> {
  constructor(options: ResponseOptions = {}) {
    super(options);
  }

  override get name(): string {
    return 'LogitMSEDistillationStrategy';
  }

  override get isSumOverRows(): true {
    return true;
  }

  protected override get ruledOutBy(): RuledOutBy {
    return 'either';
  }

  protected override describe(): ResponseTerms {
    const weightAt = (temperature: number) => 1 / (temperature * temperature);
    const ruledOut = -Infinity;
    return {
      ofSoftmax: false,
      kernel: { binary: NUMBERS, name: 'squared', ruledOut, weightAt, isSoftAlone: true },
    };
  }

  protected override softLoss(columns: number): SoftLoss {
    const distance = scoreDistance(meanSquared, columns);
    return ({ student, teacher, derivative }) =>
      distance(student, 0, teacher, 0, columns, derivative);
  }
}
