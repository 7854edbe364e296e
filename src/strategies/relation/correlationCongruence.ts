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
  refuseMisplaced,
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

/** Options of {@link CorrelationCongruenceDistillationStrategy}. */
export interface CorrelationCongruenceDistillationOptions extends StrategyOptions {
  /**
   * Which of the published losses of this name to compute.
   *
   * @defaultValue `'gaussian'`
   */
  readonly form?: Form | undefined;
  /**
   * γ of `'gaussian'`, finite and > 0.
   *
   * @defaultValue 0.4
   */
  readonly gamma?: number | undefined;
  /**
   * Highest power P of `'gaussian'`, an integer ≥ 1.
   *
   * @defaultValue 2
   */
  readonly order?: number | undefined;
  /**
   * Whether the norm of `'gaussian'` and `'bilinear'` is squared.
   *
   * @defaultValue true
   */
  readonly squared?: boolean | undefined;
}

/**
 * Matches how the rows of a batch correlate with each other, by squared difference of their
 * kernels.
 *
 * ```math
 * L = ‖K(s) − K(t)‖² / B² for 'gaussian'
 * L = ‖K(s) − K(t)‖² / B² for 'bilinear'
 * L = (Σ_(i < B) Σ_c |δ_(i,c)| |δ_(i+1,c)|) / (B − 1) for 'consecutive'
 * K_(i,j)(x) = e^(−2 γ) Σ_(0 ≤ p ≤ P) (2 γ x_i · x_j)^p / (p!) for 'gaussian'
 * K_(i,j)(x) = x_i · x_j for 'bilinear'
 * δ = s − t
 * ```
 *
 * Use it for embeddings whose rows have length 1, in large batches.
 *
 * Avoid it for rows that were not divided by their norm.
 *
 * s and t are the matrices of student and teacher, B the number of kept rows, and c a column.
 * `form` chooses the formula, P is the option `order`, and the norm is the Frobenius norm.
 * `squared: false` takes the norm itself, not its square, over B². `'gaussian'` is the Taylor
 * expansion of exp(−γ ‖x_i − x_j‖²) for rows of length 1. The strategy does not normalize rows:
 * divide them by their norm before the call.
 *
 * - `student`, `teacher`: features, one row for each sample, any finite value. The two sides may
 *   differ in columns, except for `'consecutive'`.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect.
 *
 * Returns a loss ≥ 0, 0 at student = teacher. `'consecutive'` depends on the order of the rows,
 * counts only errors in the same column of a row and the next, and is 0 for a single row. Where
 * |δ|, or the norm without its square, is 0, its derivative is taken as 0. The loss is no sum over
 * rows: chunks of a batch do not add up to it.
 *
 * Cost: B² · columns multiplications for the gradient and half of that for each side. Memory for
 * some B² numbers. `'consecutive'` takes one pass.
 *
 * Precision of `'gaussian'` and `'bilinear'`: double, with one exception. From 32 rows and 32
 * columns on, a kernel multiplies float32 rows in float32: each side with itself or, where the rows
 * of both sides are close, the teacher and the difference. Where errors of 5e-7 of the products'
 * differences might still show, the products are computed again in double. A row of the gradient is
 * good to some 1e-6 of the sum of the sizes of its terms, one for each pair.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for another number of rows, and for another number
 *   of columns with `'consecutive'`; `DTYPE_MISMATCH`, `NOT_FINITE`; `OUT_OF_RANGE` for `form`,
 *   `gamma` and `order`; `MISPLACED_OPTION` for `gamma` or `order` without `'gaussian'`, and for
 *   `squared` with `'consecutive'`; `OVERFLOW` for a gradient beyond float32, from order 3 on with
 *   features of some thousands
 * @see [Peng et al. 2019](https://arxiv.org/abs/1904.01802), §3. "Correlation Congruence for
 *   Knowledge Distillation": `'gaussian'` and `'bilinear'`. As in the paper; `'consecutive'` is
 *   RepDistiller's, after code of the authors, and compares no rows of a side with each other.
 * @reproduces RepDistiller: `form: 'consecutive'`
 * @reproduces torchdistill: `squared: false`
 *
 * @example
 * ```ts
 * import { CorrelationCongruenceDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new CorrelationCongruenceDistillationStrategy({ gamma: 0.4, order: 2 });
 * const student = Matrix.fromRows([[1, 0], [0.6, 0.8], [0, 1]]); // rows of length 1
 * const teacher = Matrix.fromRows([[0, 0, 1], [0, 1, 0], [0.6, 0.8, 0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 0.0159
 * console.log(gradient.rows, gradient.columns); // 3 2
 * ```
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
      refuseMisplaced(this.name, option, "form 'gaussian'", `'${form}'`);
    }
    if (options.squared !== undefined && form === 'consecutive') {
      const owner = "forms 'bilinear' and 'gaussian'";
      refuseMisplaced(this.name, 'squared', owner, `'${form}'`);
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
