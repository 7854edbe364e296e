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

export interface FactorTransferDistillationOptions extends StrategyOptions {
  /** Exponent of the differences; 1. */
  readonly exponent?: 1 | 2 | undefined;
  /**
   * Channels of a row, of both sides or of each: the factor is then the mean of the squares over
   * them.
   */
  readonly channels?: number | Channels | undefined;
}

/** The exponent of the activations in the mean over channels. */
const POWER = 2;

/**
 * Factor transfer: matches normalized factors, mean over rows:
 *
 *     loss = mean over columns of |f(student) − f(teacher)|^exponent
 *     f(z) = z / ‖z‖ or, where channels are given, v / max(‖v‖, 1e-12), v = mean over channels of z²
 *
 * - `teacher`: the factors, which a network of yours, the paraphraser, makes of the teacher's last
 *   feature maps; it learns beforehand to give the maps back from them. One row a sample,
 *   [channels][positions]; any finite value.
 * - `student`: what a network of yours, the translator, makes of the student's; it learns with the
 *   student, from the gradient. The same shape; where channels are given they may differ, and the
 *   positions must be the same.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss ≥ 0, 0 at student = teacher; it does not change when a row is scaled, of channels
 * above that floor. With exponent 1 the derivative at a tie is taken as 0. A zero row stays zero in
 * place of its factor, with gradient 0.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (other columns or, where channels are given, columns
 * no multiple of them or other positions), DTYPE_MISMATCH, NOT_FINITE, OUT_OF_RANGE (exponent,
 * channels).
 *
 * Cost: one pass; beside the gradient, memory for three factors. A published weight beside a hard
 * loss is 200.
 *
 * Kim et al. (2018), "Paraphrasing Complex Network: Network Compression via Factor Transfer", §3.2,
 * arXiv:1802.04977. The paper prints a norm of the difference; this is a mean over columns, as in
 * published code. That with channels, without the two networks, is RepDistiller's.
 *
 * @example
 * import { FactorTransferDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new FactorTransferDistillationStrategy();
 * const student = Matrix.fromRows([[0.1, 0.9, -0.4]]); // of the translator
 * const teacher = Matrix.fromRows([[0.2, 1, 0.1]]);    // of the paraphraser
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher); // what the translator is trained with
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

  /** Writes the factor of a row, and returns what it was divided by. */
  #factor(z: T, offset: number, channels: number | undefined, factor: Float64Array): number {
    if (channels !== undefined) return attentionMap(z, offset, channels, POWER, factor);
    factor.set(z.subarray(offset, offset + factor.length));
    return toUnit(factor, 0, factor.length, 0);
  }
}
