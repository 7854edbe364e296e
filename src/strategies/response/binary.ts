import { checkProbabilities } from '../../core/labels.js';
import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import { NUMBERS } from '../../engine/binaries/numbers.js';
import { bernoulliDivergence, binaryCrossEntropy } from '../../kernels/rows/binary.js';
import type { SoftLoss } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { ResponseDistillationStrategyBase, type ResponseOptions } from './base.js';

/**
 * Matches the student's probability of each class to the teacher's, class by class, by the KL
 * divergence of two outcomes.
 *
 * ```math
 * L = α Σ_j BCE(σ(s_j), y_j) + (1 − α) T² Σ_j KL([p_j, 1 − p_j] ‖ [q_j, 1 − q_j])
 * BCE(q, y) = −y log(q) − (1 − y) log(1 − q)
 * p = σ(t / T)
 * q = σ(s / T)
 * σ(z) = 1 / (1 + e^(−z))
 * ```
 *
 * Use it for several labels at once, where classes do not exclude each other.
 *
 * s and t are rows of student and teacher, y is the label, and the loss is the mean over rows. An
 * unlabelled row has the soft loss alone, with weight 1. The binary cross-entropy is at temperature
 * 1. The loss is the sum over classes: it is larger than a mean over classes, as of PyTorch's
 * `BCEWithLogitsLoss`, by the number of classes.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], each of a class against its absence;
 *   finite or −Infinity (a class that is ruled out). The student must not rule out a class that the
 *   teacher allows.
 * - labels: rows with an element in [0, 1] for each class, with any number of ones. Or class
 *   indices in [0, classes), which say that this class alone is there; `UNLABELED`; `IGNORE_INDEX`.
 *
 * Returns a loss ≥ 0 in nats; 0 at student = teacher without labels. The gradient of a class does
 * not depend on other classes. Standardized logits are centred: about half of the classes are then
 * there, in every row.
 *
 * Cost: two to three exponentials and as many logarithms for each logit, by the kernel that
 * `kernelInfo` names. Beside the gradient, it takes memory for a few rows.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `NOT_FINITE` (NaN, +Infinity),
 *   `RULED_OUT`, `OUT_OF_RANGE` (temperature, alpha, labels)
 * @see [Yang et al. 2023](https://arxiv.org/abs/2308.06453), §3.2. "Multi-Label Knowledge
 *   Distillation". As in the paper's multi-label logits distillation with `temperature: 1`; its
 *   code keeps probabilities 1e-8 away from 0 and 1. The distances of label-wise embeddings are not
 *   in this loss.
 *
 * @example
 * ```ts
 * import { BinaryDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new BinaryDistillationStrategy({ temperature: 2 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[2.5, 3.0, -1.0]]);
 * const labels = Matrix.fromRows([[1, 1, 0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, labels);
 * console.log(loss.toFixed(4)); // 1.0578
 * ```
 */
export class BinaryDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends ResponseDistillationStrategyBase<T> {
  constructor(options: ResponseOptions = {}) {
    super(options);
  }

  override get name(): string {
    return 'BinaryDistillationStrategy';
  }

  override get isSumOverRows(): true {
    return true;
  }

  protected override describe(): ResponseTerms {
    const kernel = { binary: NUMBERS, name: 'binary' };
    const hard = { loss: binaryCrossEntropy, checkLabelRows: checkProbabilityRows };
    return { kernel, hard, ofSoftmax: false };
  }

  protected override softLoss(columns: number): SoftLoss {
    const divergence = bernoulliDivergence(columns);
    return ({ student, teacher, derivative }) => divergence(student, teacher, derivative);
  }
}

function checkProbabilityRows(
  operation: string,
  labels: Matrix<FloatArray>,
  rows: readonly number[],
): void {
  for (const row of rows) checkProbabilities(operation, 'labels', labels, row);
}
