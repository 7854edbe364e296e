import type { DistillationBatch } from '../../call/batch.js';
import { checkMatrixFinite } from '../../call/diagnosis.js';
import type { GradientSink } from '../../call/gradient.js';
import { Parameter } from '../../call/parameter.js';
import { allocate } from '../../core/allocate.js';
import { checkDtype } from '../../core/checks.js';
import { readNumeric } from '../../core/convert.js';
import { checkInteger, checkNumber } from '../../core/errors.js';
import type { FloatArray, NumericTrait } from '../../core/numeric.js';
import type { RowDistance } from '../../kernels/rows/distance.js';
import { inverseSoftplus, sigmoid, softplus } from '../../kernels/rows/softplus.js';
import { negativeLogLikelihood } from '../../kernels/rows/variational.js';
import type { ProjectedDistillationOptions } from '../../layers/projection.js';
import { FeatureDistanceStrategyBase } from './base.js';

/** Options of {@link VariationalDistillationStrategy}. */
export interface VariationalDistillationOptions<T extends FloatArray = Float32Array>
  extends ProjectedDistillationOptions<T> {
  /** Number of channels in the teacher's rows. Each channel learns a variance. */
  readonly channels: number;
  /**
   * Variance with which every channel starts, > 1e-5.
   *
   * @defaultValue 5
   */
  readonly initialVariance?: number | undefined;
  /**
   * Number format of the parameters; it must be the format of the student's features.
   *
   * @defaultValue float32
   */
  readonly numeric?: NumericTrait<T> | undefined;
}

/** Floor of the variance, from the authors' code. */
const EPSILON = 1e-5;

/**
 * Matches the teacher's features by their likelihood under a Gaussian around the student's, with a
 * learned variance for each channel.
 *
 * ```math
 * L = mean_j(½ ((x_j − t_j)² / σ_j² + log(σ_j²)))
 * σ_j² = log(1 + e^(a_j)) + 10^(−5)
 * ```
 *
 * Use it between layers whose channels differ in how well the student can predict them.
 *
 * Avoid it where nothing steps its `parameters()`.
 *
 * x is the student's row, or its projection, t the teacher's row, and a_j the learned number of the
 * channel of column j. The loss of a call is the mean over the kept rows.
 *
 * - `student`: features, one row for each sample or token, laid out [channels][positions], any
 *   finite value. The published regressor is three 1×1 convolutions with ReLUs. A projection is one
 *   convolution; for all three, pass the output of a network of your own and give it the gradient.
 * - `teacher`: features with `channels` channels in each row; features without positions have one
 *   channel for each column. Without a projection the student has the same channels; with one, they
 *   are the projection's `outputColumns`. Positions are the same on both sides.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect.
 *
 * Returns a loss ≥ ½ log(1e-5), which may be negative. For given variances its minimum over the
 * student is at x = t. `parameters()` returns those of the projection, and `scale` of shape [1,
 * channels], the a of each channel. Step them like the parameters of a {@link LinearProjection}.
 *
 * Cost: one pass, and with a projection three products of the channels for each position. Memory
 * for a few rows beside the gradient. The published weight beside a hard loss is 1.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for columns that are no multiple of the channels,
 *   and for widths that differ without a projection or are not the projection's; `DTYPE_MISMATCH`,
 *   `NOT_FINITE`; `OUT_OF_RANGE` for `channels` and `initialVariance`
 * @see [Ahn et al. 2019](https://arxiv.org/abs/1904.05835), §2.1. "Variational Information
 *   Distillation for Knowledge Transfer". The paper sums over channels and positions, which is
 *   columns times this loss; this is the authors' code, which takes the mean.
 * @reproduces mdistiller: without stepping `scale`
 * @reproduces RepDistiller
 * @reproduces torchdistill
 * @differs AiDotNet: Gaussians of its own, without a gradient.
 *
 * @example
 * ```ts
 * import { Matrix, VariationalDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new VariationalDistillationStrategy({ channels: 2 });
 * const student = Matrix.fromRows([[0.5, -1, 0, 2]]); // 2 channels × 2 positions
 * const teacher = Matrix.fromRows([[1, -0.3, -3, 2]]);
 * console.log(strategy.computeLossAndGradient(student, teacher).loss.toFixed(4)); // 1.0482
 * for (const { value, gradient } of strategy.parameters()) {
 *   for (let i = 0; i < value.data.length; i++) value.data[i]! -= 0.1 * gradient.data[i]!;
 * }
 * console.log(strategy.computeLoss(student, teacher).toFixed(4)); // 1.0480
 * ```
 */
export class VariationalDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends FeatureDistanceStrategyBase<T> {
  readonly channels: number;
  readonly #scale: Parameter<T>;

  constructor(options: VariationalDistillationOptions<T>) {
    super(options, ['channels', 'initialVariance', 'numeric']);
    const { channels, initialVariance = 5 } = options ?? {};
    this.channels = checkInteger(this.name, 'channels', channels, 1);
    const numeric = readNumeric(this.name, options.numeric);
    const { largest } = numeric;
    const inRange = (value: number) => value > EPSILON && value <= largest;
    const expected = `be > ${EPSILON} and at most ${largest}`;
    checkNumber(this.name, 'initialVariance', initialVariance, expected, inRange);
    this.#scale = allocate(
      this.name,
      { channels },
      () => new Parameter('scale', 1, channels, numeric),
    );
    this.#scale.value.data.fill(inverseSoftplus(initialVariance - EPSILON));
  }

  override get name(): string {
    return 'VariationalDistillationStrategy';
  }

  override parameters(): readonly Parameter<T>[] {
    return [...super.parameters(), this.#scale];
  }

  protected override validate(batch: DistillationBatch<T>): void {
    super.validate(batch);
    const { operation, student } = batch;
    const hint = `pass { numeric: ${student.numeric.dtype} }`;
    checkDtype(operation, 'scale', this.#scale.value, student, hint);
    this.checkChannels(batch, this.channels);
  }

  protected override explain(batch: DistillationBatch<T>): void {
    super.explain(batch);
    checkMatrixFinite(batch.operation, 'scale', this.#scale.value);
  }

  protected override get hasParameters(): boolean {
    return true;
  }

  protected override distance(gradient: GradientSink<T> | undefined): RowDistance {
    const { value, sum } = this.#scale;
    const scales = Float64Array.from(value.data);
    const variances = scales.map((a) => softplus(a) + EPSILON);
    const factors = scales.map((a) => (gradient?.scale ?? 0) * sigmoid(a));
    return negativeLogLikelihood(variances, factors, sum);
  }
}
