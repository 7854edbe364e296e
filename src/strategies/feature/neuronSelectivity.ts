import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { meanOverRows } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import type { FloatArray } from '../../core/numeric.js';
import { discrepancy } from '../../kernels/pairs/neuronSelectivity.js';
import { grid } from '../../kernels/products/grid.js';
import { toUnits, unitsAdjoint } from '../../kernels/rows/unit.js';
import { type Channels, checkPositions, readChannels } from '../../layers/channels.js';

/** Options of {@link NeuronSelectivityDistillationStrategy}. */
export interface NeuronSelectivityDistillationOptions extends StrategyOptions {
  /** Number of channels in a row: one number for both sides, or one for each side. */
  readonly channels: number | Channels;
}

/**
 * Matches where in the image a layer's channels are active, by the squared maximum mean discrepancy
 * of their maps.
 *
 * ```math
 * L = M(s, s) − 2 M(s, t) + M(t, t)
 * M(x, y) = mean_(c,d)(k(x_c, y_d))
 * k(v, w) = (u(v) · u(w))²
 * u(z) = z / max(‖z‖, 10^(−12))
 * ```
 *
 * Use it between convolutional layers with different channels, if it matters where a layer is
 * active.
 *
 * Avoid it for features without positions.
 *
 * s and t are the rows of the student and of the teacher. x_c is the map of channel c of a row x:
 * the values of the channel at all positions. The means are over all pairs of channels. The loss
 * equals the squared distance between the two means of u uᵀ over channels. The loss of a call is
 * the mean over the kept rows.
 *
 * - `student`, `teacher`: activations, one row for each sample, laid out [channels][positions] (the
 *   CHW of most frameworks), any finite value. The two sides may differ in channels, not in
 *   positions; {@link poolPositions} makes positions equal.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect.
 *
 * Returns a loss in [0, 2], 0 at student = teacher (to rounding where there are more positions than
 * channels of both sides together). The loss does not depend on the order of the channels, nor on
 * the sign or scale of each. A channel of zeros has gradient 0.
 *
 * Cost: for P positions and C channels on each side, the fewer of 2 C · P² and 4 C² · P
 * multiplications for each row. Memory for the smaller form once. The published weight beside a
 * hard loss is 50.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for columns that are no multiple of the channels and
 *   for other positions; `DTYPE_MISMATCH`, `NOT_FINITE`; `OUT_OF_RANGE` for `channels`
 * @see [Huang & Wang 2017](https://arxiv.org/abs/1707.01219), §4. "Like What You Like: Knowledge
 *   Distill via Neuron Selectivity Transfer": of its kernels the polynomial one with d = 2 and
 *   c = 0, which published code uses too. The paper's loss is half of this one.
 * @reproduces mdistiller
 * @reproduces RepDistiller
 * @differs TextBrewer: products of positions over raw channels of two layers.
 * @differs AiDotNet: statistics of each neuron by itself.
 *
 * @example
 * ```ts
 * import { Matrix, NeuronSelectivityDistillationStrategy } from 'knowledge-distillation';
 *
 * const channels = { student: 1, teacher: 2 };
 * const strategy = new NeuronSelectivityDistillationStrategy({ channels });
 * const student = Matrix.fromRows([[0.1, 0.9, 0.4]]); // 1 channel × 3 positions
 * const teacher = Matrix.fromRows([[0.2, 1.0, 0.1, 0.3, 0.8, 0.2]]); // 2 channels × 3 positions
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 0.1704
 * console.log(gradient.get(0, 2).toFixed(4)); // 0.8498
 * ```
 */
export class NeuronSelectivityDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T> {
  readonly channels: Channels;

  constructor(options: NeuronSelectivityDistillationOptions) {
    super(options, ['channels']);
    this.channels = readChannels(this.name, options?.channels);
  }

  override get name(): string {
    return 'NeuronSelectivityDistillationStrategy';
  }

  override get isSumOverRows(): true {
    return true;
  }

  protected override validate(batch: DistillationBatch<T>): void {
    checkPositions(batch, this.channels);
  }

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    const { channels } = this;
    const { student, teacher } = batch;
    const positions = student.columns / channels.student;
    const studentUnits = new Float64Array(student.columns);
    const teacherUnits = new Float64Array(teacher.columns);
    const studentNorms = new Float64Array(channels.student);
    const teacherNorms = new Float64Array(channels.teacher);
    const studentMaps = grid(studentUnits, channels.student, positions);
    const teacherMaps = grid(teacherUnits, channels.teacher, positions);
    const distance = discrepancy(channels.student, channels.teacher, positions);
    return meanOverRows(batch, gradient, (s, t, derivative) => {
      studentUnits.set(student.data.subarray(s, s + student.columns));
      teacherUnits.set(teacher.data.subarray(t, t + teacher.columns));
      toUnits(studentUnits, studentNorms);
      toUnits(teacherUnits, teacherNorms);
      const loss = distance(studentMaps, teacherMaps, derivative);
      if (derivative) unitsAdjoint(studentUnits, studentNorms, derivative);
      return loss;
    });
  }
}
