import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { meanOverRowsByKernel } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import { checkNumber } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { NUMBERS } from '../../engine/binaries/numbers.js';
import { attentionMap, attentionMapAdjoint } from '../../kernels/rows/attentionMap.js';
import { meanSquared } from '../../kernels/rows/distance.js';
import type { RowKernel } from '../../kernels/rows/rowKernel.js';
import { type Channels, checkPositions, readChannels } from '../../layers/channels.js';

/** Options of {@link AttentionTransferDistillationStrategy}. */
export interface AttentionTransferDistillationOptions extends StrategyOptions {
  /** Number of channels in a row: one number for both sides, or one for each side. */
  readonly channels: number | Channels;
  /**
   * Exponent of the activations, ≥ 1.
   *
   * @defaultValue 2
   */
  readonly power?: number | undefined;
}

/**
 * Matches the positions at which convolutional feature maps are active by squared difference.
 *
 * ```math
 * L = mean_j((f_j(s) − f_j(t))²)
 * f(z) = v / max(‖v‖, 10^(−12))
 * v_j = mean_c(|z_(c,j)|^p)
 * ```
 *
 * Use it to teach a convolutional network where to look, with other channels than its teacher but
 * the same positions.
 *
 * Avoid it for features without positions.
 *
 * s and t are the rows of the student and of the teacher, c a channel, j a position, and p the
 * option `power`. The loss of a call is the mean over the kept rows.
 *
 * - `student`, `teacher`: activations, one row for each sample, laid out [channels][positions] (the
 *   CHW of most frameworks), any finite value. The two sides may differ in channels, not in
 *   positions; {@link poolPositions} makes positions equal.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect.
 *
 * Returns a loss in [0, 4 / positions], 0 at student = teacher. Scaling a row changes nothing, as
 * long as ‖v‖ is above 1e-12. With power 1, the derivative at an activation of 0 is taken as 0.
 *
 * Cost: one pass. Memory for three maps beside the gradient. The published weight beside a hard
 * loss is 1000.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for columns that are no multiple of the channels and
 *   for other positions; `DTYPE_MISMATCH`, `NOT_FINITE`; `OUT_OF_RANGE` for `channels` and `power`
 * @see [Zagoruyko & Komodakis 2017](https://arxiv.org/abs/1612.03928), §3.1. "Paying More Attention
 *   to Attention". The paper prints the norm of the difference; this is the authors' code: its
 *   square, as a mean over positions, with the floor of the norm.
 * @reproduces mdistiller
 * @reproduces RepDistiller
 * @reproduces torchdistill: as its mode `'code'`
 *
 * @example
 * ```ts
 * import { AttentionTransferDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const channels = { student: 1, teacher: 2 };
 * const strategy = new AttentionTransferDistillationStrategy({ channels });
 * const student = Matrix.fromRows([[0.1, 0.9, 0.4]]); // 1 channel × 3 positions
 * const teacher = Matrix.fromRows([[0.2, 1.0, 0.1, 0.3, 0.8, 0.2]]); // 2 channels × 3 positions
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 0.0105
 * console.log(gradient.get(0, 2).toFixed(4)); // 0.1036
 * ```
 */
export class AttentionTransferDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T> {
  readonly channels: Channels;
  readonly power: number;

  constructor(options: AttentionTransferDistillationOptions) {
    super(options, ['channels', 'power']);
    const { channels, power = 2 } = options ?? {};
    this.channels = readChannels(this.name, channels);
    const inRange = (value: number) => value >= 1 && value < Infinity;
    this.power = checkNumber(this.name, 'power', power, 'be a finite number ≥ 1', inRange);
  }

  override get name(): string {
    return 'AttentionTransferDistillationStrategy';
  }

  override get isSumOverRows(): true {
    return true;
  }

  protected override validate(batch: DistillationBatch<T>): void {
    checkPositions(batch, this.channels);
  }

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    const { channels, power } = this;
    const { student, teacher } = batch;
    const positions = student.columns / channels.student;
    const studentMap = new Float64Array(positions);
    const teacherMap = new Float64Array(positions);
    const mapDerivative = new Float64Array(positions);
    const kernel: RowKernel | undefined =
      power === 2
        ? { binary: NUMBERS, name: 'squaredDirections', channels: channels.student }
        : undefined;
    return meanOverRowsByKernel(batch, gradient, kernel, (s, t, derivative) => {
      const denominator = attentionMap(student.data, s, channels.student, power, studentMap);
      attentionMap(teacher.data, t, channels.teacher, power, teacherMap);
      const loss = meanSquared(studentMap, 0, teacherMap, 0, positions, mapDerivative);
      if (derivative) {
        const map = { power, map: studentMap, denominator };
        attentionMapAdjoint(student.data, s, map, mapDerivative, derivative);
      }
      return loss;
    });
  }
}
