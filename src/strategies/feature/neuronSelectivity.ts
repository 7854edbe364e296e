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

export interface NeuronSelectivityDistillationOptions extends StrategyOptions {
  /** Channels of a row, of both sides or of each. */
  readonly channels: number | Channels;
}

/**
 * Neuron selectivity transfer: where in the image the channels of a layer are active, as a
 * distribution over channels, shall be the same. Mean over rows of the squared maximum mean
 * discrepancy with the kernel k(x, y) = (x · y)²:
 *
 *     loss = mean k(ŝ, ŝ′) − 2 mean k(ŝ, t̂) + mean k(t̂, t̂′)  over all pairs of channels
 *          = ‖mean ŝ ŝᵀ − mean t̂ t̂ᵀ‖² over positions,  ẑ = z / max(‖z‖, 1e-12) the map of a channel
 *
 * - `student`, `teacher`: activations, one row a sample, laid out [channels][positions] (the CHW of
 *   most frameworks); any finite value. The channels may differ, the positions must be the same:
 *   `poolPositions` makes them so.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss in [0, 2], 0 at student = teacher, to rounding where there are more positions than
 * channels of both sides together. It sees neither the order of channels, nor the sign or scale of
 * each. A channel of zeros has gradient 0.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (columns no multiple of the channels, other
 * positions), DTYPE_MISMATCH, NOT_FINITE, OUT_OF_RANGE (channels).
 *
 * Cost: for P positions and C channels on each side, the fewer of 2 C · P² and 4 C² · P
 * multiplications a row, and memory for the smaller form once. The published weight beside a hard
 * loss is 50.
 *
 * Huang & Wang (2017), "Like What You Like: Knowledge Distill via Neuron Selectivity Transfer", §4,
 * arXiv:1707.01219: of its kernels the polynomial one, d = 2 and c = 0, which published code uses
 * too. The paper has half of the loss.
 *
 * @example
 * import { Matrix, NeuronSelectivityDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new NeuronSelectivityDistillationStrategy({ channels: { student: 1, teacher: 2 } });
 * const student = Matrix.fromRows([[0.1, 0.9, 0.4]]);                    // 1 channel  × 3 positions
 * const teacher = Matrix.fromRows([[0.2, 1.0, 0.1, 0.3, 0.8, 0.2]]);     // 2 channels × 3 positions
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
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
    const own = grid(studentUnits, channels.student, positions);
    const other = grid(teacherUnits, channels.teacher, positions);
    const distance = discrepancy(channels.student, channels.teacher, positions);
    return meanOverRows(batch, gradient, (s, t, derivative) => {
      studentUnits.set(student.data.subarray(s, s + student.columns));
      teacherUnits.set(teacher.data.subarray(t, t + teacher.columns));
      toUnits(studentUnits, studentNorms);
      toUnits(teacherUnits, teacherNorms);
      const loss = distance(own, other, derivative);
      if (derivative) unitsAdjoint(studentUnits, studentNorms, derivative);
      return loss;
    });
  }
}
