import { checkPositive } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { NUMBERS } from '../../engine/binaries/numbers.js';
import { activationBoundary } from '../../kernels/rows/activation.js';
import type { RowDistance } from '../../kernels/rows/distance.js';
import type { RowKernel } from '../../kernels/rows/rowKernel.js';
import type { ProjectedDistillationOptions } from '../../layers/projection.js';
import { FeatureDistanceStrategyBase } from './base.js';

export interface ActivationBoundaryDistillationOptions<T extends FloatArray = Float32Array>
  extends ProjectedDistillationOptions<T> {
  /** How far beyond the boundary the student's neurons have to be, > 0; 1. */
  readonly margin?: number | undefined;
}

/**
 * Activation boundaries: a neuron of the student has to be active, by a margin, where the teacher's
 * is, and inactive where it is not; sum over neurons, mean over rows. With x the student's row, or
 * its projection, and y the teacher's:
 *
 *     loss = Σ (x + margin)² where y ≤ 0 and x > −margin,  (x − margin)² where y > 0 and x < margin,  0 elsewhere
 *
 * - `student`: values before the ReLU, one row a sample, shape [rows, neurons]; any finite value.
 *   Feature maps are laid out [channels][positions].
 * - `teacher`: values before the ReLU, shape [rows, neurons]; of them only the sign counts. With a
 *   projection its neurons are outputColumns of the projection, at as many positions as the student
 *   has.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss ≥ 0, which is 0 where every neuron is on the teacher's side of the boundary, by
 * the margin: not at student = teacher. It does not change when the teacher is scaled. Its
 * derivative is continuous.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (widths differ without a projection, or are not the
 * projection's), DTYPE_MISMATCH, NOT_FINITE, OUT_OF_RANGE (margin).
 *
 * Cost: one pass, and with a projection three products of the channels a position; beside the
 * gradient, memory for a few rows. It is meant to initialise the student, before and without other
 * losses.
 *
 * Heo et al. (2019), "Knowledge Transfer via Distillation of Activation Boundaries Formed by Hidden
 * Neurons", the alternative loss with μ for the margin, arXiv:1811.03233. Its connector is a 1×1
 * convolution with batch normalization: a projection is the former; pass the output of a network of
 * yours for both, and give it the gradient.
 *
 * @example
 * import { ActivationBoundaryDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new ActivationBoundaryDistillationStrategy();
 * const student = Matrix.fromRows([[0.5, -1.5]]);
 * const teacher = Matrix.fromRows([[2, 0.1]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher); // 0.25 + 6.25; [[-1, -5]]
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
