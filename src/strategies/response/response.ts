import type { FloatArray } from '../../core/numeric.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import { forwardDivergence } from '../../kernels/rows/divergences.js';
import type { DistributionRow } from './_softRows.js';
import type { ResponseTerms } from './_terms.js';
import { DivergenceDistillationStrategyBase, type DivergenceOptions } from './divergence.js';

/**
 * Matches the student's softened class probabilities to the teacher's by KL(teacher ‖ student).
 *
 * ```math
 * L = α CE(s, y) + (1 − α) T² KL(p ‖ q)
 * p = softmax(t / T)
 * q = softmax(s / T)
 * ```
 *
 * Use it first, whenever teacher and student have the same classes.
 *
 * Avoid it for a student much too small: it spreads its probability over everything.
 *
 * s and t are rows of student and teacher, y is the label, and the loss is the mean over rows. An
 * unlabelled row has the soft loss alone, with weight 1. The cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, finite or −Infinity (a class that
 *   is ruled out). The student must not rule out a class that the teacher allows. The teacher may
 *   be {@link SparseTargets}; see the option `tail`.
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions.
 *
 * Returns a loss ≥ 0 in nats; 0 at student = teacher without labels. Each row of the gradient sums
 * to 0. A constant added to a row of logits changes neither loss nor gradient.
 *
 * For T → ∞ the soft loss tends to half the mean over classes of the squared difference of the
 * centred logits. Its relative error grows as 1e-15 · T over the spread of that difference, so keep
 * T below 1e8. At `alpha: 1` the teacher of a labelled row is not read.
 *
 * Cost: two to three exponentials for each logit, by the kernel that `kernelInfo` names, for all
 * kinds of labels, with −Infinity and with standardized logits. Beside the gradient, it takes
 * memory for a few rows.
 *
 * Accuracy: in float32 the gradient is exact to 6e-7 of the largest element of a row plus 4e-9 of
 * its largest term. The loss is exact to 6e-7 of itself, or to 4e-6 where it is small. In float64
 * both are exact to 1e-13. In JavaScript (`'scalar'`) both are exact to 1e-11, or to 2e-6 where the
 * two sides agree to 7 digits.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `NOT_FINITE` (NaN, +Infinity),
 *   `RULED_OUT`, `OUT_OF_RANGE` (temperature, alpha, labels, indices), `NOT_A_DISTRIBUTION`
 *   (labels, log-probabilities), `TEMPERATURE` and `MISPLACED_OPTION` (a sparse teacher that does
 *   not fit the options)
 * @see [Hinton et al. 2015](https://arxiv.org/abs/1503.02531), §2. "Distilling the Knowledge in a
 *   Neural Network". The paper takes the cross-entropy with soft targets: its value is larger by
 *   the teacher's entropy, its gradient is the same.
 * @reproduces mdistiller: `temperature: 4, alpha: 0.1`
 * @reproduces RepDistiller: `temperature: 4, alpha: 0.1`
 * @reproduces torchdistill: with labels; without labels `temperatureSquared: false`;
 *   `standardizeLogits: true` for LSKD
 * @reproduces TRL: `temperatureSquared: false, alpha: 0` for GKD with beta 0
 * @reproduces DistillKit
 * @reproduces Liger: `temperatureSquared: false, alpha: 0.5` for JSD with beta 0
 * @reproduces sentence-transformers: of scores, one row for each query, for `DistillKLDivLoss` with
 *   one `temperature`
 * @reproduces distil-whisper: `temperature: 2, alpha: 0.8 / 1.8`, × 1.8 at its `kl_weight` of 1
 * @reproduces CWD: `temperature: 4` of feature maps, one row for each channel of a sample
 * @differs TextBrewer: its value is larger by the teacher's entropy; same gradient with
 *   `temperatureSquared: false`
 * @differs DistiLLM: its value is larger by the teacher's entropy; same gradient with `temperature:
 *   1, alpha: 0`
 * @differs AiDotNet: 1e-10 inside the logarithms of its value; same gradient
 * @differs torchtune: its value is larger by the teacher's entropy; same gradient with
 *   `temperature: 1, alpha: 0`
 *
 * @example
 * ```ts
 * import { Matrix, ResponseDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new ResponseDistillationStrategy({ temperature: 4, alpha: 0.1 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4], [2.0, 0.1, 0.3]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0], [4.0, 0.5, 0.2]]);
 * const labels = Int32Array.of(1, 0);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, labels);
 * console.log(loss.toFixed(4)); // 0.5197
 * ```
 */
export class ResponseDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DivergenceDistillationStrategyBase<T> {
  constructor(options: DivergenceOptions = {}) {
    super(options);
  }

  override get name(): string {
    return 'ResponseDistillationStrategy';
  }

  protected override describe(): ResponseTerms {
    const kernel = { binary: RESPONSE, name: 'forward' };
    return { ...super.describe(), kernel, completion: 1 };
  }

  protected override divergence(row: DistributionRow): number {
    return forwardDivergence(row);
  }
}
