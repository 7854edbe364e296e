import type { RuledOutBy } from '../../call/diagnosis.js';
import { checkNonNegative } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { DIVERGENCES } from '../../engine/binaries/divergences.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import { alphaBetaDivergence } from '../../kernels/rows/divergences.js';
import type { DistributionRow } from './_softRows.js';
import type { ResponseTerms, SoftKernel } from './_terms.js';
import { DivergenceDistillationStrategyBase, type DivergenceOptions } from './divergence.js';

/** Options of {@link AlphaBetaDistillationStrategy}. */
export interface AlphaBetaDistillationOptions extends DivergenceOptions {
  /**
   * The power a of the teacher's probabilities, ≥ 0.
   * @defaultValue 0.2
   */
  readonly teacherPower?: number | undefined;
  /**
   * The power b of the student's probabilities, ≥ 0.
   * @defaultValue 0.7
   */
  readonly studentPower?: number | undefined;
}

/**
 * Matches the student's softened class probabilities to the teacher's by the alpha-beta divergence.
 *
 * ```math
 * L = α CE(s, y) + (1 − α) T² D
 * D = −1 / (a b) Σ_j (p_j^a q_j^b − a / (a + b) · p_j^(a + b) − b / (a + b) · q_j^(a + b))
 * D = KL(p ‖ q) if a = 1 and b = 0
 * D = KL(q ‖ p) if a = 0 and b = 1
 * D = ½ Σ_j (log(p_j) − log(q_j))² if a = b = 0
 * p = softmax(t / T)
 * q = softmax(s / T)
 * ```
 *
 * Use it to tune between forward and reverse KL, and beyond, with two powers, once `Response`
 * works.
 *
 * Avoid it as a first try: the powers are two more numbers to search.
 *
 * a is the option `teacherPower`, b the option `studentPower`. Where a power is 0, D is the limit
 * of the formula. D is ½ Σ (p − q)² for a = b = 1, and 2 Σ (√p − √q)² for a = b = ½. A smaller a
 * leads the student to classes where it is far from the teacher. A larger b leads it to classes of
 * which it is already sure. s and t are rows of student and teacher, y is the label, and the loss
 * is the mean over rows. An unlabelled row has the soft loss alone, with weight 1. The
 * cross-entropy is at temperature 1.
 *
 * - `student`, `teacher`: logits, shape [rows, classes], in nats, finite or −Infinity (a class that
 *   is ruled out). With b = 0 the student must not rule out a class that the teacher allows; with a
 *   = 0 the teacher must not rule out a class that the student allows. The teacher may be
 *   {@link SparseTargets}; see the option `tail`.
 * - labels: class indices in [0, classes), `UNLABELED` or `IGNORE_INDEX`; or rows that are
 *   distributions.
 *
 * Returns a loss ≥ 0, the soft loss at most T² · classes^max(0, 1 − a − b) / (a b); 0 at student =
 * teacher without labels. Each row of the gradient sums to 0. A constant added to a row of logits
 * changes neither loss nor gradient. A power far above 1 leaves only classes of large probability,
 * and the loss tends to 0.
 *
 * Negative powers are refused: a negative power of a small probability overflows, so finite logits
 * would not have a finite loss.
 *
 * Cost: five exponentials for each logit, by the kernel that `kernelInfo` names. Beside the
 * gradient, it takes memory for a few rows.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `NOT_FINITE` (NaN, +Infinity),
 *   `OUT_OF_RANGE` (powers, temperature, alpha, labels, indices), `NOT_A_DISTRIBUTION` (labels,
 *   log-probabilities), `RULED_OUT` (a label; a class, where a power is 0), `TEMPERATURE` and
 *   `MISPLACED_OPTION` (a sparse teacher that does not fit the options)
 * @see [Cichocki et al. 2011](https://doi.org/10.3390/e13010134), §2. "Generalized Alpha-Beta
 *   Divergences". As in the paper, for powers ≥ 0.
 * @see [Wang et al. 2025](https://arxiv.org/abs/2505.04560). "ABKD". As in the paper with
 *   `temperature: 1` and without labels for language models, whose scripts have the default powers;
 *   for images it has powers such as 0.8 and 0.3, at T = 4 and without T². Its code leaves out
 *   classes that one side rules out, and where one power is 0, it divides by the other power once,
 *   where the limit divides twice.
 *
 * @example
 * ```ts
 * import { AlphaBetaDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const powers = { teacherPower: 0.2, studentPower: 0.7 };
 * const strategy = new AlphaBetaDistillationStrategy({ ...powers, temperature: 1 });
 * const student = Matrix.fromRows([[0.2, 1.1, -0.4]]);
 * const teacher = Matrix.fromRows([[0.1, 3.0, -1.0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 0.4576
 * ```
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

/** The kernel; for the powers 1 and 0 the kernel of a KL divergence. */
function kernelOf(teacherPower: number, studentPower: number): SoftKernel {
  if (teacherPower === 1 && studentPower === 0) return { binary: RESPONSE, name: 'forward' };
  if (teacherPower === 0 && studentPower === 1) return { binary: DIVERGENCES, name: 'reverse' };
  const options = { option: teacherPower, otherOption: studentPower };
  return { binary: DIVERGENCES, name: 'alphaBeta', ...options };
}
