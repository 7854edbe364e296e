import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { overBatch, overBatchByProduct } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import {
  checkBoolean,
  checkChoice,
  checkInteger,
  checkPositive,
  refuse,
} from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import {
  bilinearKernel,
  consecutiveDifference,
  gaussianKernel,
  kernelDifference,
} from '../../kernels/pairs/correlationCongruence.js';

/** @inline */
type Form = 'gaussian' | 'bilinear' | 'consecutive';

export interface CorrelationCongruenceDistillationOptions extends StrategyOptions {
  /** Which of the losses that go by the name; `'gaussian'`. */
  readonly form?: Form | undefined;
  /** γ of `'gaussian'`, finite, > 0; 0.4. */
  readonly gamma?: number | undefined;
  /** The highest power of `'gaussian'`, an integer ≥ 1; 2. */
  readonly order?: number | undefined;
  /** Whether the norm of `'gaussian'` and `'bilinear'` is squared; true. */
  readonly squared?: boolean | undefined;
}

/**
 * Correlation congruence: how the rows of a batch, B of them, go together on the teacher's side,
 * they shall on the student's.
 *
 *     'gaussian'     ‖K(student) − K(teacher)‖² / B²,  Kᵢⱼ = exp(−2γ) · Σ over p ≤ order of (2γ · xᵢ · xⱼ)ᵖ / p!
 *     'bilinear'     ‖K(student) − K(teacher)‖² / B²,  Kᵢⱼ = xᵢ · xⱼ
 *     'consecutive'  Σ over i < B of Σ |δᵢ| · |δᵢ₊₁| / (B − 1),  δ = student − teacher
 *
 * with the Frobenius norm; `squared: false` leaves its square out. The first is the Taylor
 * expansion of exp(−γ ‖xᵢ − xⱼ‖²) for rows of length 1: divide the features by their norm if that
 * is what you want; nothing here does.
 *
 * - `student`, `teacher`: features, one row a sample; any finite value. The columns may differ but
 *   in `'consecutive'`.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss ≥ 0, 0 at student = teacher. `'consecutive'` depends on the order of the rows,
 * counts only what is wrong in a row and the next in the same column, and is 0 for a single row.
 * Where |δ|, or the norm without its square, is 0 its derivative is taken as 0.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (rows; of `'consecutive'` columns too),
 * DTYPE_MISMATCH, NOT_FINITE, OUT_OF_RANGE (form, gamma, order), MISPLACED_OPTION (gamma or order
 * without `'gaussian'`, squared with `'consecutive'`), OVERFLOW (a gradient beyond float32, from an
 * order of 3 on for features of some thousands).
 *
 * Cost: B² · columns multiplications for the gradient and half of that for each side, and memory
 * for some B²; of `'consecutive'` one pass. It is no sum over rows: chunks of a batch do not add up
 * to it.
 *
 * Precision of the first two: doubles, except that a kernel multiplies float32 rows, from 32 rows
 * and 32 columns on, in float32: each side with itself or, where the rows of both sides are close,
 * the teacher and the difference. Where errors of 5e-7 of what the products differ by might still
 * show, they are computed once more in doubles. A row of the gradient is good to some 1e-6 of the
 * sum of the sizes of its terms, one for each pair.
 *
 * Peng et al. (2019), "Correlation Congruence for Knowledge Distillation", §3, arXiv:1904.01802:
 * the first two. torchdistill has them without the square, RepDistiller the third, after code of
 * the authors', which compares no rows of a side with each other.
 *
 * @example
 * import { CorrelationCongruenceDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new CorrelationCongruenceDistillationStrategy({ gamma: 0.4, order: 2 });
 * const student = Matrix.fromRows([[1, 0], [0.6, 0.8], [0, 1]]);
 * const teacher = Matrix.fromRows([[0, 0, 1], [0, 1, 0], [0.6, 0.8, 0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 */
export class CorrelationCongruenceDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T> {
  readonly form: Form;
  readonly gamma: number;
  readonly order: number;
  readonly squared: boolean;

  constructor(options: CorrelationCongruenceDistillationOptions = {}) {
    super(options, ['form', 'gamma', 'order', 'squared']);
    const { form = 'gaussian', gamma = 0.4, order = 2, squared = true } = options;
    this.form = checkChoice(this.name, 'form', form, ['gaussian', 'bilinear', 'consecutive']);
    this.gamma = checkPositive(this.name, 'gamma', gamma);
    this.order = checkInteger(this.name, 'order', order, 1);
    this.squared = checkBoolean(this.name, 'squared', squared);
    for (const option of ['gamma', 'order'] as const) {
      if (options[option] === undefined || form === 'gaussian') continue;
      refuse('MISPLACED_OPTION', this.name, option, "come with form: 'gaussian'", form);
    }
    if (options.squared !== undefined && form === 'consecutive') {
      refuse('MISPLACED_OPTION', this.name, 'squared', 'come with a form that has a norm', form);
    }
  }

  override get name(): string {
    return 'CorrelationCongruenceDistillationStrategy';
  }

  protected override validate(batch: DistillationBatch<T>): void {
    if (this.form === 'consecutive') super.validate(batch);
  }

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    const { form, gamma, order, squared } = this;
    if (form === 'consecutive') return overBatch(batch, gradient, consecutiveDifference);
    const kernel = form === 'gaussian' ? gaussianKernel(gamma, order) : bilinearKernel;
    return overBatchByProduct(batch, gradient, (student, teacher, wanted) =>
      kernelDifference(student, teacher, kernel, squared, wanted),
    );
  }
}
