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

export interface VariationalDistillationOptions<T extends FloatArray = Float32Array>
  extends ProjectedDistillationOptions<T> {
  /** Channels of the teacher's rows: each has a variance. */
  readonly channels: number;
  /** The variance of every channel to begin with, > 1e-5; 5. */
  readonly initialVariance?: number | undefined;
  /** Number format, that of the student's features; float32. */
  readonly numeric?: NumericTrait<T> | undefined;
}

/** The least variance, as in the authors' code. */
const EPSILON = 1e-5;

/**
 * Variational information distillation: the teacher's features are as likely as can be under a
 * Gaussian around the student's, of which each channel learns its variance. Mean over columns and
 * rows; with x the student's row, or its projection, y the teacher's, and a the learned number of
 * the channel:
 *
 *     loss = mean over columns of ½ ((x − y)² / σ² + log σ²),  σ² = log(1 + eᵃ) + 1e-5
 *
 * - `student`: features, one row a sample or token, laid out [channels][positions]; any finite
 *   value. The published regressor is three 1×1 convolutions with ReLUs: a projection is one; or
 *   pass what a network of yours gives, and give it the gradient.
 * - `teacher`: `channels` of them in a row (for features without positions, the columns). Without a
 *   projection the student has them too, with one they are outputColumns of the projection; the
 *   positions are the same.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss ≥ ½ log 1e-5, which may be negative; it is least in the student at x = y.
 * `parameters()` are those of the projection, and `scale`, shape [1, channels]: the a of each
 * channel. Step them as those of a {@link LinearProjection}.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (columns no multiple of the channels, widths differ
 * without a projection, or are not the projection's), DTYPE_MISMATCH, NOT_FINITE, OUT_OF_RANGE
 * (channels, initialVariance).
 *
 * Cost: one pass, and with a projection three products of the channels a position; beside the
 * gradient, memory for a few rows. The published weight beside a hard loss is 1.
 *
 * Ahn et al. (2019), "Variational Information Distillation for Knowledge Transfer", §2.1,
 * arXiv:1904.05835. The paper sums over channels and positions; this is the authors' code, which
 * takes the mean.
 *
 * @example
 * import { Matrix, VariationalDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new VariationalDistillationStrategy({ channels: 2 });
 * const student = Matrix.fromRows([[0.5, -1, 0, 2]]); // 2 channels × 2 positions
 * const teacher = Matrix.fromRows([[1, -0.3, -3, 2]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * for (const { value, gradient } of strategy.parameters()) {
 *   for (let i = 0; i < value.data.length; i++) value.data[i]! -= 0.1 * gradient.data[i]!;
 * }
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
