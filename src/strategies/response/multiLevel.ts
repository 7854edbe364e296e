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

/** Options of {@link MultiLevelDistillationStrategy}. */
export interface MultiLevelDistillationOptions extends ResponseOptions {
  /**
   * The temperatures of the sum, as multiples of `temperature`, finite and > 0.
   * @defaultValue [0.5, 0.75, 1, 1.25, 1.5]
   */
  readonly multiples?: readonly number[] | undefined;
  /**
   * Weight of the divergence of each row, ≥ 0.
   * @defaultValue 1
   */
  readonly instanceWeight?: number | undefined;
  /**
   * Weight of the relation of the rows with each other, ≥ 0.
   * @defaultValue 1
   */
  readonly batchWeight?: number | undefined;
  /**
   * Weight of the relation of the classes with each other, ≥ 0.
   * @defaultValue 1
   */
  readonly classWeight?: number | undefined;
}

/**
 * Matches softened class probabilities at several temperatures, with the relations between rows and
 * between classes.
 *
 * ```math
 * L = α CE(s, y) + (1 − α) Σ_τ (u τ² KL(p ‖ q) + v ‖P Pᵀ − Q Qᵀ‖² / B + w ‖Pᵀ P − Qᵀ Q‖² / C)
 * p = softmax(t / τ)
 * q = softmax(s / τ)
 * ```
 *
 * Use it to classify in large batches, where relations between samples and between classes help.
 *
 * Avoid it for vocabularies, unless `classWeight` is 0: its cost grows with the square of the
 * classes.
 *
 * The temperatures τ are `multiples` of T. P and Q hold the rows p and q of the batch, with B rows
 * and C classes, and the norm is Frobenius'. u, v and w are the options `instanceWeight`,
 * `batchWeight` and `classWeight`. The two relations are the same for every row, and have no factor
 * τ². s and t are rows of student and teacher, y is the label, and the loss is the mean over rows.
 * An unlabelled row has the soft loss alone, with weight 1. The cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, finite or −Infinity (a class that
 *   is ruled out). The student must not rule out a class that the teacher allows.
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions.
 *
 * Returns a loss ≥ 0; 0 at student = teacher without labels. Each row of the gradient sums to 0. A
 * constant added to a row of logits changes neither loss nor gradient. By default `temperature` is
 * 4 and `alpha` is 0.1, so the temperatures are 2, 3, 4, 5 and 6.
 *
 * The loss is no sum over rows unless `batchWeight` and `classWeight` are 0: chunks of a batch do
 * not add up.
 *
 * Cost at each temperature: about B² · C + B · C² multiplications, and memory for B² and C²
 * elements. With `classWeight: 0`, the terms in C² are not computed.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `NOT_FINITE` (NaN, +Infinity),
 *   `RULED_OUT`, `EMPTY` (no multiples), `OUT_OF_RANGE` (multiples, weights, temperature, alpha,
 *   labels), `NOT_A_DISTRIBUTION` (labels)
 * @see
 *   [Jin et al. 2023](https://openaccess.thecvf.com/content/CVPR2023/html/Jin_Multi-Level_Logit_Distillation_CVPR_2023_paper.html),
 *   §3. "Multi-Level Logit Distillation". As in the paper for one view of each image. Temperatures,
 *   t² and weights are those of the authors' code, which adds a second view, and multiplies the
 *   divergence and the relation of rows by the share of rows whose teacher is less sure than the
 *   median, and the relation of classes by the share of classes that are less likely (about half
 *   each).
 *
 * @example
 * ```ts
 * import { Matrix, MultiLevelDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new MultiLevelDistillationStrategy({ classWeight: 0.5 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4], [1.5, 0.3, 0.1]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0], [2.0, -0.5, 0.4]]);
 * const labels = Int32Array.of(1, 0);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, labels);
 * console.log(loss.toFixed(4)); // 1.7985
 * ```
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

/** The relations of rows and of classes, without the factor T². */
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
