import type { Blend } from '../../call/options.js';
import { checkNonNegative, checkNumbers } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import { addRelation } from '../../kernels/pairs/correlationCongruence.js';
import { transpose } from '../../kernels/products/grid.js';
import { forwardDivergence } from '../../kernels/rows/divergences.js';
import { ofSoftmax } from '../../kernels/rows/softmaxRows.js';
import { divergenceLoss } from './_divergenceLoss.js';
import { type JointLoss, jointly } from './_joint.js';
import type { SoftLoss } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { ResponseDistillationStrategyBase, type ResponseOptions } from './base.js';

export interface MultiLevelDistillationOptions extends ResponseOptions {
  /**
   * The temperatures that the loss is summed over, as multiples of `temperature`, finite, > 0; ½,
   * ¾, 1, 1¼ and 1½.
   */
  readonly multiples?: readonly number[] | undefined;
  /** What the divergence of each row counts, ≥ 0; 1. */
  readonly instanceWeight?: number | undefined;
  /** What the relation of the rows with each other counts, ≥ 0; 1. */
  readonly batchWeight?: number | undefined;
  /** What the relation of the classes with each other counts, ≥ 0; 1. */
  readonly classWeight?: number | undefined;
}

/**
 * Multi-level logit distillation of B rows and C classes, mean over rows:
 *
 *     α · CE(student, label) + (1 − α) · Σ over temperatures t of
 *         instanceWeight · t² · KL(p ‖ q) + batchWeight · ‖P Pᵀ − Q Qᵀ‖² / B + classWeight · ‖Pᵀ P − Qᵀ Q‖² / C
 *
 * with p = softmax(teacher / t) and q = softmax(student / t) of the row, P and Q those of all rows,
 * and the Frobenius norm. The relations are the same for every row, and have no t². A row without a
 * label has the soft term alone; the cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, any finite value or −Infinity (a
 *   class ruled out). What the teacher allows the student must not rule out.
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions.
 *
 * Returns a loss ≥ 0; 0 at student = teacher without labels. Each row of the gradient sums to 0,
 * and neither changes when a constant is added to a row. `temperature` is 4 and `alpha` 0.1 where
 * nobody says otherwise: temperatures of 2, 3, 4, 5 and 6.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, DTYPE_MISMATCH, NOT_FINITE (NaN, +Infinity),
 * RULED_OUT, EMPTY (no multiples), OUT_OF_RANGE (multiples, weights, temperature, alpha, labels),
 * NOT_A_DISTRIBUTION (labels).
 *
 * Cost, for each temperature: some B² · C + B · C² multiplications, and memory for B² and C²
 * numbers: for classes, not for vocabularies, unless `classWeight` is 0. It is no sum over rows:
 * chunks of a batch do not add up to it.
 *
 * Jin et al. (2023), "Multi-Level Logit Distillation", §3, CVPR. The temperatures, t² and weights
 * are those of the authors' code. That adds the same for a second view of each image, and
 * multiplies the divergence and the relation of rows by the share of rows whose teacher is less
 * sure than the median, and that of classes by the share of classes that are less likely: about
 * half. Here there is one view and no such factor.
 *
 * @example
 * import { Matrix, MultiLevelDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new MultiLevelDistillationStrategy({ classWeight: 0.5 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4], [1.5, 0.3, 0.1]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0], [2.0, -0.5, 0.4]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, Int32Array.of(1, 0));
 */
export class MultiLevelDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends ResponseDistillationStrategyBase<T> {
  readonly multiples: readonly number[];
  readonly instanceWeight: number;
  readonly batchWeight: number;
  readonly classWeight: number;

  constructor(options: MultiLevelDistillationOptions = {}) {
    super(options, ['multiples', 'instanceWeight', 'batchWeight', 'classWeight']);
    const { multiples = [0.5, 0.75, 1, 1.25, 1.5] } = options;
    const { instanceWeight = 1, batchWeight = 1, classWeight = 1 } = options;
    const inRange = (x: number) => x > 0 && x < Infinity;
    this.multiples = [
      ...checkNumbers(this.name, 'multiples', multiples, 'be a finite number > 0', inRange),
    ];
    this.instanceWeight = checkNonNegative(this.name, 'instanceWeight', instanceWeight);
    this.batchWeight = checkNonNegative(this.name, 'batchWeight', batchWeight);
    this.classWeight = checkNonNegative(this.name, 'classWeight', classWeight);
  }

  override get name(): string {
    return 'MultiLevelDistillationStrategy';
  }

  protected override get defaults(): Blend {
    return { temperature: 4, alpha: 0.1 };
  }

  protected override describe(): ResponseTerms {
    const { multiples, instanceWeight, batchWeight, classWeight } = this;
    return {
      kernel: { binary: RESPONSE, name: 'forward' },
      temperatures: (temperature) => multiples.map((multiple) => multiple * temperature),
      softWeight: instanceWeight,
      ...((batchWeight !== 0 || classWeight !== 0) && {
        joint: relations(batchWeight, classWeight),
      }),
    };
  }

  protected override softLoss(columns: number): SoftLoss {
    return divergenceLoss(forwardDivergence, columns);
  }
}

/** The relations of rows and of classes, which do not have the factor T². */
function relations(batchWeight: number, classWeight: number): JointLoss {
  const joint = jointly(
    ofSoftmax((q, p, slope) => {
      let loss = 0;
      if (batchWeight !== 0) loss += addRelation(q, p, batchWeight, slope);
      if (classWeight !== 0) loss += addRelation(transpose(q), transpose(p), classWeight, slope);
      return loss;
    }),
  );
  return (soft, together) => joint(soft, { ...together, factorOf: () => 1 });
}
