import { checkProbabilities } from '../../core/labels.js';
import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import { NUMBERS } from '../../engine/binaries/numbers.js';
import { bernoulliDivergence, binaryCrossEntropy } from '../../kernels/rows/binary.js';
import type { SoftLoss } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { ResponseDistillationStrategyBase, type ResponseOptions } from './base.js';

/**
 * Distillation of several labels at once: every class is there or not, whatever the others. Mean
 * over rows:
 *
 *     α · Σ BCE(σ(student), label) + (1 − α) · T² · Σ KL([p, 1 − p] ‖ [q, 1 − q]),   p = σ(teacher / T), q = σ(student / T)
 *
 * with sums over classes, BCE(q, y) = −y ln q − (1 − y) ln(1 − q), and σ(z) = 1 / (1 + e^−z). A row
 * without a label has the soft term alone; the cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], one for each class against its absence;
 *   any finite value or −Infinity (a class ruled out). What the teacher allows the student must not
 *   rule out.
 * - labels: rows with an entry in [0, 1] for each class, any number of them 1, none too; or class
 *   indices in [0, classes), which say that this class is there and no other, `UNLABELED` or
 *   `IGNORE_INDEX`.
 *
 * Returns a loss ≥ 0 in nats; 0 at student = teacher without labels. A class has no bearing on the
 * gradient of another.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, DTYPE_MISMATCH, NOT_FINITE (NaN, +Infinity),
 * RULED_OUT, OUT_OF_RANGE (temperature, alpha, labels).
 *
 * The loss is a sum, as everywhere here: beside one that takes the mean over classes, as PyTorch's
 * `BCEWithLogitsLoss` does, it is as many times larger. Standardized logits are centred: about half
 * of the classes are then there, in every row.
 *
 * Cost: two to three exponentials and as many logarithms for each logit, by the kernel that
 * `kernelInfo` names; beside the gradient, memory for a few rows.
 *
 * Yang et al. (2023), "Multi-Label Knowledge Distillation", §3.2, arXiv:2308.06453: its multi-label
 * logits distillation, there at T = 1, and in the authors' code of probabilities that are kept 1e-8
 * away from 0 and 1. What it has beside that, the distances of label-wise embeddings, is not in
 * this loss.
 *
 * @example
 * import { BinaryDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new BinaryDistillationStrategy({ temperature: 2 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[2.5, 3.0, -1.0]]);
 * const labels = Matrix.fromRows([[1, 1, 0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, labels);
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
