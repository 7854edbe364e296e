import { checkPositive } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { NUMBERS } from '../../engine/binaries/numbers.js';
import { activationBoundary } from '../../kernels/rows/activation.js';
import type { RowDistance } from '../../kernels/rows/distance.js';
import type { RowKernel } from '../../kernels/rows/rowKernel.js';
import type { ProjectedDistillationOptions } from '../../layers/projection.js';
import { FeatureDistanceStrategyBase } from './base.js';

/** Options of {@link ActivationBoundaryDistillationStrategy}. */
export interface ActivationBoundaryDistillationOptions<T extends FloatArray = Float32Array>
  extends ProjectedDistillationOptions<T> {
  /**
   * Distance from the boundary that the student's neurons must have, > 0.
   *
   * @defaultValue 1
   */
  readonly margin?: number | undefined;
}

/**
 * Matches which of the teacher's neurons are active, by a squared hinge with a margin.
 *
 * ```math
 * L = Σ_j ℓ_j
 * ℓ_j = max(0, x_j + m)² if t_j ≤ 0
 * ℓ_j = max(0, m − x_j)² if t_j > 0
 * ```
 *
 * Use it to initialise a student, before it learns by other losses and without them.
 *
 * Avoid it beside other losses, and for values after the ReLU.
 *
 * x is the student's row, or its projection, t the teacher's row, and m the option `margin`. A
 * neuron of the student must be active by the margin where the teacher's neuron is active, and
 * inactive by the margin where it is not. The loss of a call is the mean over the kept rows.
 *
 * - `student`: values before the ReLU, one row for each sample, shape [rows, neurons], any finite
 *   value. Feature maps are laid out [channels][positions].
 * - `teacher`: values before the ReLU, shape [rows, neurons]; only their sign counts. With a
 *   projection, the teacher has the projection's `outputColumns` at the student's positions.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect.
 *
 * Returns a loss ≥ 0. It is 0 where every neuron is on the teacher's side of the boundary by the
 * margin, and not at student = teacher. Scaling the teacher changes nothing. The derivative is
 * continuous.
 *
 * Cost: one pass, and with a projection three products of the channels for each position. Memory
 * for a few rows beside the gradient.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for widths that differ without a projection or are
 *   not the projection's; `DTYPE_MISMATCH`, `NOT_FINITE`; `OUT_OF_RANGE` for `margin`
 * @see [Heo et al. 2019](https://arxiv.org/abs/1811.03233). "Knowledge Transfer via Distillation of
 *   Activation Boundaries Formed by Hidden Neurons": the alternative loss, with μ for the margin.
 *   The paper's connector is a 1×1 convolution with batch normalization. A projection is the
 *   convolution alone; for both, pass the output of a network of your own and give it the gradient.
 * @reproduces torchdistill
 * @reproduces RepDistiller: × 3/1000 for the last layer
 *
 * @example
 * ```ts
 * import { ActivationBoundaryDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new ActivationBoundaryDistillationStrategy();
 * const student = Matrix.fromRows([[0.5, -1.5]]);
 * const teacher = Matrix.fromRows([[2, 0.1]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * // (1 − 0.5)² + (1 + 1.5)²:
 * console.log(loss); // 6.5
 * console.log(gradient.toRows()); // [ [ -1, -5 ] ]
 * ```
 */
export class ActivationBoundaryDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends FeatureDistanceStrategyBase<T> {
  readonly margin: number;

  constructor(options: ActivationBoundaryDistillationOptions<T> = {}) {
    super(options, ['margin']);
    const { margin = 1 } = options;
    this.margin = checkPositive(this.name, 'margin', margin);
  }

  override get name(): string {
    return 'ActivationBoundaryDistillationStrategy';
  }

  protected override distance(): RowDistance {
    return activationBoundary(this.margin);
  }

  protected override kernel(): RowKernel {
    return { binary: NUMBERS, name: 'activationBoundary', option: this.margin };
  }
}
