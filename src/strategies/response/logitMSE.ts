import type { RuledOutBy } from '../../call/diagnosis.js';
import type { FloatArray } from '../../core/numeric.js';
import { NUMBERS } from '../../engine/binaries/numbers.js';
import { meanSquared } from '../../kernels/rows/distance.js';
import { scoreDistance } from '../../kernels/rows/scores.js';
import type { SoftLoss } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { ResponseDistillationStrategyBase, type ResponseOptions } from './base.js';

/**
 * Matches the student's logits to the teacher's by their squared difference.
 *
 * ```math
 * L = α CE(s, y) + (1 − α) T² mean_j((s_j / T − t_j / T)²)
 * ```
 *
 * Use it when the logits themselves are the output, and not only their softmax.
 *
 * Avoid it where only a softmax follows, which does not see a constant added to a row.
 *
 * The soft loss is the mean of (s − t)² at any temperature, unless `temperatureSquared` is false. s
 * and t are rows of student and teacher, y is the label, and the loss is the mean over rows. An
 * unlabelled row has the soft loss alone, with weight 1. The cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], finite; or −Infinity for a class that is
 *   ruled out on both sides, which adds 0.
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions.
 *
 * Returns a loss ≥ 0; 0 at student = teacher without labels. The mean over classes keeps the weight
 * independent of the number of classes.
 *
 * Cost: one pass. Beside the gradient, it takes memory for some rows.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `NOT_FINITE` (NaN, +Infinity),
 *   `OUT_OF_RANGE` (temperature, alpha, labels), `NOT_A_DISTRIBUTION` (labels), `RULED_OUT` (a
 *   class on one side alone, or a label)
 * @see [Ba & Caruana 2014](https://arxiv.org/abs/1312.6184), §2.2 equation 1. "Do Deep Nets Really
 *   Need to be Deep?". The paper takes half the sum over classes: × half the number of classes.
 * @see [Kim et al. 2021](https://arxiv.org/abs/2105.08919), §3. "Comparing Kullback-Leibler
 *   Divergence and Mean Squared Error Loss in Knowledge Distillation". The paper takes the sum over
 *   classes: × the number of classes.
 * @reproduces TextBrewer: `temperatureSquared: false`
 *
 * @example
 * ```ts
 * import { LogitMSEDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new LogitMSEDistillationStrategy({ alpha: 0.1 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 1.3267
 * ```
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
