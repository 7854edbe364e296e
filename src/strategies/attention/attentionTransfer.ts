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

export interface AttentionTransferDistillationOptions extends StrategyOptions {
  /** Channels of a row, of both sides or of each. */
  readonly channels: number | Channels;
  /** Exponent of the activations, ≥ 1; 2. */
  readonly power?: number | undefined;
}

/**
 * Attention transfer between convolutional feature maps, mean over rows:
 *
 *     f(z) = v / max(‖v‖, 1e-12),  v = mean over channels of |z|^power
 *     loss = mean over positions of (f(student) − f(teacher))²
 *
 * - `student`, `teacher`: activations, one row a sample, laid out [channels][positions] (the CHW of
 *   most frameworks); any finite value. The channels may differ, the positions must be the same.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss in [0, 4 / positions], 0 at student = teacher; it does not change when a row is
 * scaled, above that floor. With power 1 the derivative at an activation of 0 is taken as 0.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (columns no multiple of the channels, other
 * positions), DTYPE_MISMATCH, NOT_FINITE, OUT_OF_RANGE (channels, power).
 *
 * Cost: one pass; beside the gradient, memory for three maps. The published weight beside a hard
 * loss is 1000.
 *
 * Zagoruyko & Komodakis (2017), "Paying More Attention to Attention", §3.1, arXiv:1612.03928. The
 * paper prints a norm of the difference; this is the authors' code: its square, as a mean over
 * positions, with the floor of the norm.
 *
 * @example
 * import { AttentionTransferDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new AttentionTransferDistillationStrategy({ channels: { student: 1, teacher: 2 } });
 * const student = Matrix.fromRows([[0.1, 0.9, 0.4]]);                    // 1 channel  × 3 positions
 * const teacher = Matrix.fromRows([[0.2, 1.0, 0.1, 0.3, 0.8, 0.2]]);     // 2 channels × 3 positions
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
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
