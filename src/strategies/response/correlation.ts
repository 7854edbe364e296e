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

export interface CorrelationDistillationOptions extends ResponseOptions {
  /** β, what the correlation of the classes of a sample counts, ≥ 0; 1. */
  readonly interWeight?: number | undefined;
  /** γ, what the correlation of the samples in a class counts, ≥ 0; 1. */
  readonly intraWeight?: number | undefined;
}

/**
 * Distillation of what goes up together rather than how far (DIST), mean over rows:
 *
 *     α · CE(student, label) + (1 − α) · T² · (interWeight · inter + intraWeight · intra)
 *     inter = 1 − ρ(q, p) of the row;   intra = 1 − mean over classes j of ρ(q₍·ⱼ₎, p₍·ⱼ₎), the same for every row
 *     ρ(x, y) = a · b / (‖a‖ ‖b‖ + 1e-8),  a = x − mean(x), b = y − mean(y)
 *
 * with p = softmax(teacher / T) and q = softmax(student / T): Pearson's correlation of the classes
 * of each row, and of the rows of the batch in each class. A row without a label has the soft term
 * alone; the cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, any finite value or −Infinity (a
 *   class ruled out).
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions.
 *
 * Returns a loss ≥ 0, the soft term at most 2 T² (interWeight + intraWeight). At student = teacher
 * it is what the 1e-8 leaves, which is all of it where probabilities hardly differ: ρ is 0 where
 * they are equal, as in a batch of one row, whose intra is 1 with a gradient of 0. At a row of
 * equal logits, or a class that has the same probability in all rows, the derivative is steep. Each
 * row of the gradient sums to 0, and neither changes when a constant is added to a row.
 * `temperature` is 1 and `alpha` ½ where nobody says otherwise.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, DTYPE_MISMATCH, NOT_FINITE (NaN, +Infinity),
 * OUT_OF_RANGE (weights, temperature, alpha, labels), NOT_A_DISTRIBUTION (labels), RULED_OUT (a
 * label).
 *
 * Cost: four exponentials for each logit, by the kernel that `kernelInfo` names; beside the
 * gradient, memory for a few rows of doubles, and in JavaScript (`'scalar'`) for a few copies of
 * both sides. It is no sum over rows, unless `intraWeight` is 0: chunks of a batch do not add up to
 * it.
 *
 * Huang et al. (2022), "Knowledge Distillation from A Stronger Teacher", §3, arXiv:2205.10536; the
 * 1e-8 is that of the authors' code, whose weights of 1 for cross-entropy, inter and intra, at T =
 * 1, are twice what this is by default.
 *
 * @example
 * import { CorrelationDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new CorrelationDistillationStrategy({ intraWeight: 2 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4], [1.5, 0.3, 0.1]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0], [2.0, -0.5, 0.4]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, Int32Array.of(1, 0));
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
  for (let j = 0; j < q.length; j++) slope[j]! *= q[j]!; // by log q
  return loss;
}

/** weight · mean over classes of the correlation distance between the columns of a class. */
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
