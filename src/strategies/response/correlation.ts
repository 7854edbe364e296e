import type { RuledOutBy } from '../../call/diagnosis.js';
import type { Blend } from '../../call/options.js';
import { checkNonNegative } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { DIVERGENCES } from '../../engine/binaries/divergences.js';
import { correlationDistance } from '../../kernels/rows/correlation.js';
import { ofSoftmax } from '../../kernels/rows/softmaxRows.js';
import { divergenceLoss } from './_divergenceLoss.js';
import { type JointLoss, jointly } from './_joint.js';
import type { DistributionRow, SoftLoss } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { ResponseDistillationStrategyBase, type ResponseOptions } from './base.js';

/** Options of {@link CorrelationDistillationStrategy}. */
export interface CorrelationDistillationOptions extends ResponseOptions {
  /**
   * Weight β of the correlation of the classes in each row, ≥ 0.
   * @defaultValue 1
   */
  readonly interWeight?: number | undefined;
  /**
   * Weight γ of the correlation of the rows in each class, ≥ 0.
   * @defaultValue 1
   */
  readonly intraWeight?: number | undefined;
}

/**
 * Matches which softened class probabilities rise together, in each row and in each class, by
 * Pearson's correlation.
 *
 * ```math
 * L = α CE(s, y) + (1 − α) T² (β inter + γ intra)
 * inter = 1 − ρ(q_i, p_i)
 * intra = 1 − mean_j(ρ(q_(·j), p_(·j)))
 * ρ(x, y) = (a · b) / (‖a‖ ‖b‖ + 10^(−8))
 * a = x − mean(x)
 * b = y − mean(y)
 * p = softmax(t / T)
 * q = softmax(s / T)
 * ```
 *
 * Use it when the teacher is much larger than the student, in batches of many rows.
 *
 * Avoid it for two classes, and for small batches unless `intraWeight` is 0.
 *
 * β is the option `interWeight`, γ the option `intraWeight`. *inter* compares the classes of a row
 * i, *intra* the rows of the batch in each class j; *intra* is the same for every row. The student
 * matches which probabilities rise together, not how far (DIST). s and t are rows of student and
 * teacher, y is the label, and the loss is the mean over rows. An unlabelled row has the soft loss
 * alone, with weight 1. The cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, finite or −Infinity (a class that
 *   is ruled out).
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions.
 *
 * Returns a loss ≥ 0, the soft loss at most 2 T² (β + γ). Each row of the gradient sums to 0. A
 * constant added to a row of logits changes neither loss nor gradient. By default `temperature` is
 * 1 and `alpha` is ½.
 *
 * - At student = teacher the loss is what the 1e-8 in ρ leaves. That is all of it where
 *   probabilities hardly differ, since ρ is 0 where they are equal. In a batch of one row, *intra*
 *   is 1 and its gradient 0.
 * - The derivative is steep at a row of equal logits, and at a class with the same probability in
 *   all rows.
 * - The loss is no sum over rows unless `intraWeight` is 0: chunks of a batch do not add up.
 *
 * Cost: four exponentials for each logit, by the kernel that `kernelInfo` names. Beside the
 * gradient, it takes memory for a few rows of doubles; in JavaScript (`'scalar'`) for a few copies
 * of both sides.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `NOT_FINITE` (NaN, +Infinity),
 *   `OUT_OF_RANGE` (weights, temperature, alpha, labels), `NOT_A_DISTRIBUTION` (labels),
 *   `RULED_OUT` (a label)
 * @see [Huang et al. 2022](https://arxiv.org/abs/2205.10536), §3. "Knowledge Distillation from A
 *   Stronger Teacher". The paper has weights of 1 for cross-entropy, inter and intra at T = 1: × 2
 *   of this loss by default. The 1e-8 is that of the authors' code.
 * @differs torchdistill: the product of the norms is at least 1e-8, where the authors add 1e-8
 *
 * @example
 * ```ts
 * import { CorrelationDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new CorrelationDistillationStrategy({ intraWeight: 2 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4], [1.5, 0.3, 0.1]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0], [2.0, -0.5, 0.4]]);
 * const labels = Int32Array.of(1, 0);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, labels);
 * console.log(loss.toFixed(4)); // 0.2403
 * ```
 */
export class CorrelationDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends ResponseDistillationStrategyBase<T> {
  readonly interWeight: number;
  readonly intraWeight: number;

  constructor(options: CorrelationDistillationOptions = {}) {
    super(options, ['interWeight', 'intraWeight']);
    const { interWeight = 1, intraWeight = 1 } = options;
    this.interWeight = checkNonNegative(this.name, 'interWeight', interWeight);
    this.intraWeight = checkNonNegative(this.name, 'intraWeight', intraWeight);
  }

  override get name(): string {
    return 'CorrelationDistillationStrategy';
  }

  protected override get defaults(): Blend {
    return { temperature: 1, alpha: 0.5 };
  }

  protected override get ruledOutBy(): RuledOutBy {
    return 'neither';
  }

  protected override describe(): ResponseTerms {
    const { interWeight, intraWeight } = this;
    return {
      kernel: { binary: DIVERGENCES, name: 'correlation' },
      softWeight: interWeight,
      ...(intraWeight !== 0 && {
        joint: intraCorrelation(intraWeight),
        columns: { name: 'correlateColumns', weight: (columns) => intraWeight / columns },
      }),
    };
  }

  protected override softLoss(columns: number): SoftLoss {
    return divergenceLoss(rowCorrelation, columns);
  }
}

function rowCorrelation({ p, q, slope }: DistributionRow): number {
  slope.fill(0);
  const loss = correlationDistance(q, p, { offset: 0, stride: 1, count: q.length }, 1, slope);
  for (let j = 0; j < q.length; j++) slope[j]! *= q[j]!; // by q, now by log q
  return loss;
}

/** `intraWeight` times the mean over classes of the correlation distance of a class's columns. */
function intraCorrelation(intraWeight: number): JointLoss {
  return jointly(
    ofSoftmax((q, p, slope) => {
      const { rows, columns } = q;
      const weight = intraWeight / columns;
      let loss = 0;
      for (let j = 0; j < columns; j++) {
        const column = { offset: j, stride: columns, count: rows };
        loss += correlationDistance(q.data, p.data, column, weight, slope);
      }
      return loss;
    }),
  );
}
