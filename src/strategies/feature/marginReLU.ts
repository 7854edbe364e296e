import type { DistillationBatch } from '../../call/batch.js';
import { checkNumbers } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { NUMBERS } from '../../engine/binaries/numbers.js';
import { marginReLU } from '../../kernels/rows/activation.js';
import type { RowDistance } from '../../kernels/rows/distance.js';
import type { RowKernel } from '../../kernels/rows/rowKernel.js';
import type { ProjectedDistillationOptions } from '../../layers/projection.js';
import { FeatureDistanceStrategyBase } from './base.js';

export interface MarginReLUDistillationOptions<T extends FloatArray = Float32Array>
  extends ProjectedDistillationOptions<T> {
  /** One number ≤ 0 for each channel of the teacher; see {@link batchNormMargins}. */
  readonly margins: ArrayLike<number>;
}

/**
 * The overhaul of feature distillation: a margin ReLU of the teacher, and a partial squared
 * distance; sum over columns, mean over rows. With x the student's row, or its projection, y the
 * teacher's, and m the margin of the channel:
 *
 *     z = max(y, m)
 *     loss = Σ (x − z)², without what is x ≤ z ≤ 0
 *
 * - `student`: values before the ReLU, one row a sample, laid out [channels][positions]; any finite
 *   value.
 * - `teacher`: values before the ReLU, of as many channels as there are margins. Without a
 *   projection the student has them too, with one they are outputColumns of the projection; the
 *   positions are the same.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss ≥ 0, 0 at x = y, and wherever both are below the margin. Its derivative is
 * continuous.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (columns no multiple of the margins, widths differ
 * without a projection, or are not the projection's), DTYPE_MISMATCH, NOT_FINITE, OUT_OF_RANGE (a
 * margin), EMPTY (no margin).
 *
 * Cost: one pass, and with a projection three products of the channels a position; beside the
 * gradient, memory for a few rows. The published weight beside a hard loss is 1/1000 for the last
 * layer, and half of the next one's for each before.
 *
 * Heo et al. (2019), "A Comprehensive Overhaul of Feature Distillation", §3, arXiv:1904.01866. Its
 * student transform is a 1×1 convolution with batch normalization: a projection is the former; pass
 * the output of a network of yours for both, and give it the gradient.
 *
 * @example
 * import { MarginReLUDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new MarginReLUDistillationStrategy({ margins: [-0.5, -1] });
 * const student = Matrix.fromRows([[0.5, -1, 0, 2]]); // 2 channels × 2 positions
 * const teacher = Matrix.fromRows([[1, -0.3, -3, 2]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher); // 0.25 + 0 + 1 + 0; [[-1, 0, 2, 0]]
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
