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

export interface FlowDistillationOptions extends StrategyOptions {
  /** Channels of the two layers, the same on both sides. */
  readonly channels: readonly [number, number];
}

/**
 * Flow of the solution procedure: how the features of one layer lead to those of a later one shall
 * be as in the teacher. Mean over rows:
 *
 *     loss = Σ over pairs of channels of (G(student) − G(teacher))²
 *     G[c, d] = mean over positions of first[c] · second[d]
 *
 * - `student`, `teacher`: activations of two layers, one row a sample, the second layer behind the
 *   first, each laid out [channels][positions] (the CHW of most frameworks) with the same
 *   positions; any finite value. `concatenateColumns` makes one matrix of two, and `splitColumns`
 *   two gradients of one. Student and teacher may differ in positions: G has none.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss ≥ 0, 0 at student = teacher.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (columns no multiple of the channels of both layers),
 * DTYPE_MISMATCH, NOT_FINITE, OUT_OF_RANGE (channels).
 *
 * Cost: three products of channels × channels × positions a row for the student, one for the
 * teacher; beside the gradient, memory for two G and one row.
 *
 * Yim et al. (2017), "A Gift from Knowledge Distillation", CVPR, §3.2–3.3: for one pair of layers
 * of weight 1. Where the second layer has the smaller maps, the paper takes maxima of the first;
 * `poolPositions` takes means.
 *
 * @example
 * import { concatenateColumns, FlowDistillationStrategy, Matrix, splitColumns } from 'knowledge-distillation';
 *
 * const strategy = new FlowDistillationStrategy({ channels: [1, 2] });
 * const first = Matrix.fromRows([[1, 2]]);         // 1 channel  × 2 positions
 * const second = Matrix.fromRows([[0, 1, 3, 2]]);  // 2 channels × 2 positions
 * const teacher = Matrix.fromRows([[1, 1, 2, 0, 1, 1, 2, 2, 1]]); // 3 positions in each of the 1 + 2 channels
 * const { loss, gradient } = strategy.computeLossAndGradient(concatenateColumns(first, second), teacher);
 * const [firstGradient, secondGradient] = splitColumns(gradient, first.columns);
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

  /** The two layers of a row. */
  #layers(data: FloatArray, offset: number, columns: number): Layers {
    const [c1, c2] = this.channels;
    const positions = columns / (c1 + c2);
    const middle = offset + c1 * positions;
    return {
      first: grid(data.subarray(offset, middle), c1, positions),
      second: grid(data.subarray(middle, offset + columns), c2, positions),
    };
  }
}
