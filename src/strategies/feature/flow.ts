import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { meanOverRows } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import { checkParts } from '../../core/checks.js';
import { checkInteger, throwType } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { flowDifference, type Layers } from '../../kernels/pairs/flow.js';
import { grid } from '../../kernels/products/grid.js';

/** Options of {@link FlowDistillationStrategy}. */
export interface FlowDistillationOptions extends StrategyOptions {
  /** Number of channels of the first and of the second layer, the same on both sides. */
  readonly channels: readonly [number, number];
}

/**
 * Matches how the features of one layer lead to those of a later layer, by squared difference of
 * their products.
 *
 * ```math
 * L = Σ_(c,d) (G_(c,d)(s) − G_(c,d)(t))²
 * G_(c,d)(z) = mean_j(u_(c,j) v_(d,j))
 * ```
 *
 * Use it to initialise a student whose two layers have the teacher's channels.
 *
 * Avoid it where student and teacher differ in channels.
 *
 * u holds the channels c of the first layer in a row z, and v the channels d of the second layer; j
 * is a position. The loss of a call is the mean over the kept rows.
 *
 * - `student`, `teacher`: activations of two layers, one row for each sample, any finite value. The
 *   second layer follows the first, and each is laid out [channels][positions] (the CHW of most
 *   frameworks) with the same positions. {@link concatenateColumns} joins two matrices to one, and
 *   {@link splitColumns} divides the gradient again. Student and teacher may differ in positions,
 *   because G has none.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect.
 *
 * Returns a loss ≥ 0, 0 at student = teacher.
 *
 * Cost: products of channels × channels × positions multiplications for each row, three for the
 * student and one for the teacher. Memory for two G and one row beside the gradient.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for columns that are no multiple of the channels of
 *   both layers; `DTYPE_MISMATCH`, `NOT_FINITE`; `OUT_OF_RANGE` for `channels`
 * @see [Yim et al. 2017](https://doi.org/10.1109/CVPR.2017.754), §3.2–3.3. "A Gift from Knowledge
 *   Distillation": the paper's loss for one pair of layers of weight 1. Where the second layer has
 *   smaller maps, the paper takes maxima of the first; {@link poolPositions} takes means.
 * @reproduces RepDistiller: × 1 / (channels[0] · channels[1])
 * @reproduces TextBrewer: × 1 / (channels[0] · channels[1])
 * @differs torchdistill: maxima of larger maps, and norms that are not squared.
 * @differs AiDotNet: no gradient.
 *
 * @example
 * ```ts
 * import {
 *   concatenateColumns,
 *   FlowDistillationStrategy,
 *   Matrix,
 *   splitColumns,
 * } from 'knowledge-distillation';
 *
 * const strategy = new FlowDistillationStrategy({ channels: [1, 2] });
 * const first = Matrix.fromRows([[1, 2]]); // 1 channel × 2 positions
 * const second = Matrix.fromRows([[0, 1, 3, 2]]); // 2 channels × 2 positions
 * const teacher = Matrix.fromRows([[1, 1, 2, 0, 1, 1, 2, 2, 1]]); // (1 + 2) channels × 3 positions
 * const student = concatenateColumns(first, second);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * const [firstGradient, secondGradient] = splitColumns(gradient, first.columns);
 * console.log(loss.toFixed(4)); // 2.2500
 * console.log(firstGradient.columns, secondGradient.columns); // 2 4
 * ```
 */
export class FlowDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T> {
  readonly channels: readonly [number, number];

  constructor(options: FlowDistillationOptions) {
    super(options, ['channels']);
    const channels = options?.channels;
    if (!Array.isArray(channels) || channels.length !== 2) {
      throwType(this.name, 'channels', 'be two numbers, one for each layer', channels);
    }
    const [first, second] = channels;
    this.channels = [
      checkInteger(this.name, 'channels[0]', first, 1),
      checkInteger(this.name, 'channels[1]', second, 1),
    ];
  }

  override get name(): string {
    return 'FlowDistillationStrategy';
  }

  override get isSumOverRows(): true {
    return true;
  }

  protected override validate({ operation, student, teacher }: DistillationBatch<T>): void {
    const [first, second] = this.channels;
    checkParts(operation, 'student', student, first + second, 'positions');
    checkParts(operation, 'teacher', teacher, first + second, 'positions');
  }

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    const { student, teacher } = batch;
    const difference = flowDifference(this.channels);
    return meanOverRows(batch, gradient, (s, t, derivative) =>
      difference(
        this.#layers(student.data, s, student.columns),
        this.#layers(teacher.data, t, teacher.columns),
        derivative,
      ),
    );
  }

  /** Views one row as its two layers. */
  #layers(data: FloatArray, offset: number, columns: number): Layers {
    const [firstChannels, secondChannels] = this.channels;
    const positions = columns / (firstChannels + secondChannels);
    const middle = offset + firstChannels * positions;
    return {
      first: grid(data.subarray(offset, middle), firstChannels, positions),
      second: grid(data.subarray(middle, offset + columns), secondChannels, positions),
    };
  }
}
