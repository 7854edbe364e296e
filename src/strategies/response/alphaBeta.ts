import type { RuledOutBy } from '../../call/diagnosis.js';
import { checkNonNegative } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { DIVERGENCES } from '../../engine/binaries/divergences.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import { alphaBetaDivergence } from '../../kernels/rows/divergences.js';
import type { DistributionRow } from './_softRows.js';
import type { ResponseTerms, SoftKernel } from './_terms.js';
import { DivergenceDistillationStrategyBase, type DivergenceOptions } from './divergence.js';

export interface AlphaBetaDistillationOptions extends DivergenceOptions {
  /** The power a of the teacher's probabilities, ≥ 0; 0.2. */
  readonly teacherPower?: number | undefined;
  /** The power b of the student's probabilities, ≥ 0; 0.7. */
  readonly studentPower?: number | undefined;
}

/**
 * Distillation by the alpha-beta divergence, mean over rows:
 *
 *     α · CE(student, label) + (1 − α) · T² · D(p, q),   p = softmax(teacher / T), q = softmax(student / T)
 *     D = −1 / (a b) · Σ [p^a q^b − a / (a + b) · p^(a + b) − b / (a + b) · q^(a + b)]
 *
 * with the powers a (`teacherPower`) and b (`studentPower`). Where a power is 0, or both are, D is
 * the limit: KL(p ‖ q) for a = 1 and b = 0, KL(q ‖ p) for a = 0 and b = 1, ½ Σ (log p − log q)² for
 * a = b = 0. It is ½ Σ (p − q)² for a = b = 1, and 2 Σ (√p − √q)² for a = b = ½. A smaller a leads
 * the student to classes where it is far from the teacher, a larger b to classes of which it is
 * sure already. A row without a label has the soft term alone; the cross-entropy is at temperature
 * 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, any finite value or −Infinity (a
 *   class ruled out). What the teacher allows the student must not rule out if b is 0; what the
 *   student allows the teacher must not rule out if a is 0.
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions.
 *
 * Returns a loss ≥ 0, the soft term at most T² · classes^max(0, 1 − a − b) / (a b); 0 at student =
 * teacher without labels. Each row of the gradient sums to 0, and neither changes when a constant
 * is added to a row. A power far above 1 leaves only classes of large probability, and the loss
 * goes to 0.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, DTYPE_MISMATCH, NOT_FINITE (NaN, +Infinity),
 * OUT_OF_RANGE (powers, temperature, alpha, labels), NOT_A_DISTRIBUTION (labels), RULED_OUT (a
 * label; where a power is 0, as said above). Negative powers are refused: a negative power of a
 * small probability overflows, so that finite logits would not have a finite loss.
 *
 * Cost: five exponentials for each logit, by the kernel that `kernelInfo` names; beside the
 * gradient, memory for a few rows.
 *
 * Cichocki, Cruces & Amari (2011), "Generalized Alpha-Beta Divergences", §2, doi:10.3390/e13010134.
 * For distillation Wang et al. (2025), "ABKD", arXiv:2505.04560: at T = 1 and without T², and
 * without labels, for language models, of which its scripts have the defaults here; for classes of
 * images it has powers such as 0.8 and 0.3, at T = 4 and without T². Its code leaves out the
 * classes that one side rules out, and where one power is 0, it divides by the other power once,
 * where the limit divides twice.
 *
 * @example
 * import { AlphaBetaDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new AlphaBetaDistillationStrategy({ teacherPower: 0.2, studentPower: 0.7, temperature: 1 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 */
export class AlphaBetaDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DivergenceDistillationStrategyBase<T> {
  readonly teacherPower: number;
  readonly studentPower: number;

  constructor(options: AlphaBetaDistillationOptions = {}) {
    super(options, ['teacherPower', 'studentPower']);
    const { teacherPower = 0.2, studentPower = 0.7 } = options;
    this.teacherPower = checkNonNegative(this.name, 'teacherPower', teacherPower);
    this.studentPower = checkNonNegative(this.name, 'studentPower', studentPower);
  }

  override get name(): string {
    return 'AlphaBetaDistillationStrategy';
  }

  protected override get ruledOutBy(): RuledOutBy {
    if (this.teacherPower === 0) return this.studentPower === 0 ? 'either' : 'teacher';
    return this.studentPower === 0 ? 'student' : 'neither';
  }

  protected override describe(): ResponseTerms {
    return { ...super.describe(), kernel: kernelOf(this.teacherPower, this.studentPower) };
  }

  protected override divergence(row: DistributionRow): number {
    return alphaBetaDivergence(row, { p: this.teacherPower, q: this.studentPower });
  }
}

/** The kernel: of the powers 1 and 0, one of the two divergences of Kullback and Leibler. */
function kernelOf(teacherPower: number, studentPower: number): SoftKernel {
  if (teacherPower === 1 && studentPower === 0) return { binary: RESPONSE, name: 'forward' };
  if (teacherPower === 0 && studentPower === 1) return { binary: DIVERGENCES, name: 'reverse' };
  const options = { option: teacherPower, otherOption: studentPower };
  return { binary: DIVERGENCES, name: 'alphaBeta', ...options };
}
