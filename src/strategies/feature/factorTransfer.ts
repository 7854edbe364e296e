import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { meanOverRowsByKernel } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import { checkNumber } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { NUMBERS } from '../../engine/binaries/numbers.js';
import { attentionMap, attentionMapAdjoint } from '../../kernels/rows/attentionMap.js';
import { meanAbsolute, meanSquared } from '../../kernels/rows/distance.js';
import type { RowKernel } from '../../kernels/rows/rowKernel.js';
import { toUnit, unitAdjoint } from '../../kernels/rows/unit.js';
import { type Channels, checkPositions, readChannels } from '../../layers/channels.js';

/** Options of {@link FactorTransferDistillationStrategy}. */
export interface FactorTransferDistillationOptions extends StrategyOptions {
  /**
   * Exponent of the differences.
   *
   * @defaultValue 1
   */
  readonly exponent?: 1 | 2 | undefined;
  /**
   * Number of channels in a row: one number for both sides, or one for each side. With it, a factor
   * is the mean over channels of the squared row.
   */
  readonly channels?: number | Channels | undefined;
}

/** Exponent of the activations in the mean over channels, from RepDistiller. */
const POWER = 2;

/**
 * Matches normalized factors of the student's and the teacher's features by their differences.
 *
 * ```math
 * L = mean_j(|f_j(s) − f_j(t)|^k)
 * f(z) = z / ‖z‖
 * ```
 *
 * Use it if two networks of your own, a paraphraser and a translator, make factors of the features.
 *
 * Avoid it without networks that make the factors: it is then not the paper's loss.
 *
 * s and t are the rows of the student and of the teacher, and k is the option `exponent`. With the
 * option `channels`, f(z) = v / max(‖v‖, 1e-12) instead, where v is the mean of z² over channels.
 * The loss of a call is the mean over the kept rows.
 *
 * - `teacher`: the factors that the paraphraser makes of the teacher's last feature maps, one row
 *   for each sample, laid out [channels][positions], any finite value. The paraphraser is trained
 *   first, to reconstruct the maps from the factors.
 * - `student`: the factors that the translator makes of the student's feature maps. The translator
 *   is trained together with the student, by the gradient. The shape is the teacher's; with
 *   `channels`, the two sides may differ in channels, not in positions.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect.
 *
 * Returns a loss ≥ 0, 0 at student = teacher. Scaling a row changes nothing, with `channels` as
 * long as ‖v‖ is above 1e-12. With exponent 1 the derivative at a tie is taken as 0. The factor of
 * a row of zeros is zero, with gradient 0.
 *
 * Cost: one pass. Memory for three factors beside the gradient. A published weight beside a hard
 * loss is 200.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for another number of columns or, with `channels`,
 *   for columns that are no multiple of them and for other positions; `DTYPE_MISMATCH`,
 *   `NOT_FINITE`; `OUT_OF_RANGE` for `exponent` and `channels`
 * @see [Kim et al. 2018](https://arxiv.org/abs/1802.04977), §3.2. "Paraphrasing Complex Network:
 *   Network Compression via Factor Transfer". The paper prints a norm of the difference, which is
 *   columns times this loss; this is a mean over columns, as in published code.
 * @reproduces RepDistiller: `channels`, without the two networks
 * @reproduces torchdistill: with its `p: 1`; with another p it takes the norm
 * @differs AiDotNet: eigenvectors of covariances, without a gradient.
 *
 * @example
 * ```ts
 * import { FactorTransferDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new FactorTransferDistillationStrategy();
 * const student = Matrix.fromRows([[0.1, 0.9, -0.4]]); // from the translator
 * const teacher = Matrix.fromRows([[0.2, 1, 0.1]]); // from the paraphraser
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 0.2209
 * console.log(gradient.get(0, 2).toFixed(4)); // -0.4192
 * ```
 */
export class FactorTransferDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T> {
  readonly exponent: 1 | 2;
  readonly channels: Channels | undefined;

  constructor(options: FactorTransferDistillationOptions = {}) {
    super(options, ['exponent', 'channels']);
    const { exponent = 1, channels } = options;
    checkNumber(
      this.name,
      'exponent',
      exponent,
      'be 1 or 2',
      (value) => value === 1 || value === 2,
    );
    this.exponent = exponent;
    this.channels = channels === undefined ? undefined : readChannels(this.name, channels);
  }

  override get name(): string {
    return 'FactorTransferDistillationStrategy';
  }

  override get isSumOverRows(): true {
    return true;
  }

  protected override validate(batch: DistillationBatch<T>): void {
    if (this.channels) checkPositions(batch, this.channels);
    else super.validate(batch);
  }

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    const { student, teacher } = batch;
    const size = student.columns / (this.channels?.student ?? 1);
    const studentFactor = new Float64Array(size);
    const teacherFactor = new Float64Array(size);
    const slope = new Float64Array(size);
    const distance = this.exponent === 1 ? meanAbsolute : meanSquared;
    const kernel: RowKernel = {
      binary: NUMBERS,
      name: this.exponent === 1 ? 'absoluteDirections' : 'squaredDirections',
      channels: this.channels?.student ?? 0,
    };
    return meanOverRowsByKernel(batch, gradient, kernel, (s, t, derivative) => {
      const norm = this.#factor(student.data, s, this.channels?.student, studentFactor);
      this.#factor(teacher.data, t, this.channels?.teacher, teacherFactor);
      const loss = distance(studentFactor, 0, teacherFactor, 0, size, slope);
      if (!derivative) return loss;
      if (this.channels) {
        const map = { power: POWER, map: studentFactor, denominator: norm };
        attentionMapAdjoint(student.data, s, map, slope, derivative);
      } else {
        unitAdjoint(studentFactor, norm, slope, 0, size, 0);
        derivative.set(slope);
      }
      return loss;
    });
  }

  /** Writes the factor of a row to `factor`; returns the norm that the row was divided by. */
  #factor(data: T, offset: number, channels: number | undefined, factor: Float64Array): number {
    if (channels !== undefined) return attentionMap(data, offset, channels, POWER, factor);
    factor.set(data.subarray(offset, offset + factor.length));
    return toUnit(factor, 0, factor.length, 0);
  }
}
