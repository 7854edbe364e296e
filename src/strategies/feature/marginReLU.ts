import type { DistillationBatch } from '../../call/batch.js';
import { checkNumbers } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { NUMBERS } from '../../engine/binaries/numbers.js';
import { marginReLU } from '../../kernels/rows/activation.js';
import type { RowDistance } from '../../kernels/rows/distance.js';
import type { RowKernel } from '../../kernels/rows/rowKernel.js';
import type { ProjectedDistillationOptions } from '../../layers/projection.js';
import { FeatureDistanceStrategyBase } from './base.js';

/** Options of {@link MarginReLUDistillationStrategy}. */
export interface MarginReLUDistillationOptions<T extends FloatArray = Float32Array>
  extends ProjectedDistillationOptions<T> {
  /**
   * Margin of each channel of the teacher, finite and ≤ 0; {@link batchNormMargins} computes them.
   */
  readonly margins: ArrayLike<number>;
}

/**
 * Matches the features that the teacher's ReLU lets through, by a partial squared distance.
 *
 * ```math
 * L = Σ_j ℓ_j
 * ℓ_j = 0 if x_j ≤ z_j ≤ 0
 * ℓ_j = (x_j − z_j)² otherwise
 * z_j = max(t_j, m_j)
 * ```
 *
 * Use it between convolutional layers that are followed by batch normalization and a ReLU.
 *
 * Avoid it for values after the ReLU; without batch normalization, only if you know the margins.
 *
 * x is the student's row, or its projection, t the teacher's row, and m_j the margin of the channel
 * of column j. The loss of a call is the mean over the kept rows.
 *
 * - `student`: values before the ReLU, one row for each sample, laid out [channels][positions], any
 *   finite value.
 * - `teacher`: values before the ReLU, with one channel for each margin. Without a projection the
 *   student has the same channels; with one, they are the projection's `outputColumns`. Positions
 *   are the same on both sides.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect.
 *
 * Returns a loss ≥ 0. It is 0 at x = t, and wherever both are below the margin. The derivative is
 * continuous.
 *
 * Cost: one pass, and with a projection three products of the channels for each position. Memory
 * for a few rows beside the gradient. The published weight beside a hard loss is 1/1000 for the
 * last layer, and for each earlier layer half the weight of the layer after it.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for columns that are no multiple of the margins, and
 *   for widths that differ without a projection or are not the projection's; `DTYPE_MISMATCH`,
 *   `NOT_FINITE`; `OUT_OF_RANGE` for a margin; `EMPTY` without a margin
 * @see [Heo et al. 2019](https://arxiv.org/abs/1904.01866), §3. "A Comprehensive Overhaul of
 *   Feature Distillation". As in the paper. Its student transform is a 1×1 convolution with batch
 *   normalization. A projection is the convolution alone; for both, pass the output of a network of
 *   your own and give it the gradient.
 * @reproduces mdistiller
 *
 * @example
 * ```ts
 * import { MarginReLUDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new MarginReLUDistillationStrategy({ margins: [-0.5, -1] });
 * const student = Matrix.fromRows([[0.5, -1, 0, 2]]); // 2 channels × 2 positions
 * const teacher = Matrix.fromRows([[1, -0.3, -3, 2]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * // (0.5 − 1)² + 0 + (0 + 1)² + 0:
 * console.log(loss); // 1.25
 * console.log(gradient.toRows()); // [ [ -1, 0, 2, 0 ] ]
 * ```
 */
export class MarginReLUDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends FeatureDistanceStrategyBase<T> {
  readonly margins: Float64Array;

  constructor(options: MarginReLUDistillationOptions<T>) {
    super(options, ['margins']);
    const inRange = (value: number) => value <= 0 && value > -Infinity;
    this.margins = checkNumbers(
      this.name,
      'margins',
      options?.margins,
      'be a finite number ≤ 0',
      inRange,
    );
  }

  override get name(): string {
    return 'MarginReLUDistillationStrategy';
  }

  protected override validate(batch: DistillationBatch<T>): void {
    super.validate(batch);
    this.checkChannels(batch, this.margins.length);
  }

  protected override distance(): RowDistance {
    return marginReLU(this.margins);
  }

  protected override kernel(columns: number): RowKernel {
    const positions = columns / this.margins.length;
    const parameters = new Float64Array(columns).map(
      (_, j) => this.margins[Math.floor(j / positions)]!,
    );
    return { binary: NUMBERS, name: 'marginReLU', parameters };
  }
}
