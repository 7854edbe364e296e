import { checkChoice, checkPositive, refuseMisplaced } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { NUMBERS } from '../../engine/binaries/numbers.js';
import {
  cosineDistance,
  euclideanDistance,
  huber,
  meanAbsolute,
  meanSquared,
  type RowDistance,
} from '../../kernels/rows/distance.js';
import type { RowKernel } from '../../kernels/rows/rowKernel.js';
import type { ProjectedDistillationOptions } from '../../layers/projection.js';
import { FeatureDistanceStrategyBase } from './base.js';

/** @inline */
type Metric = 'mse' | 'l2' | 'l1' | 'huber' | 'cosine';

/** Options of {@link FeatureDistillationStrategy}. */
export interface FeatureDistillationOptions<T extends FloatArray = Float32Array>
  extends ProjectedDistillationOptions<T> {
  /**
   * How two rows are compared.
   *
   * @defaultValue `'mse'`
   */
  readonly metric?: Metric | undefined;
  /**
   * Difference at which `'huber'` turns from squared to linear, > 0; for `'huber'` only.
   *
   * @defaultValue 1
   */
  readonly delta?: number | undefined;
}

const DISTANCES = {
  mse: meanSquared,
  l2: euclideanDistance,
  l1: meanAbsolute,
  cosine: cosineDistance,
};
const KERNELS: Record<Metric, string> = {
  mse: 'squared',
  l2: 'norm',
  l1: 'absolute',
  huber: 'huber',
  cosine: 'cosine',
};

/**
 * Matches the student's hidden features to the teacher's by a distance of rows.
 *
 * ```math
 * L = mean_j((x_j − t_j)²) for 'mse'
 * L = ‖x − t‖ for 'l2'
 * L = mean_j(|x_j − t_j|) for 'l1'
 * L = mean_j(h(x_j − t_j)) for 'huber'
 * L = 1 − cos(x, t) for 'cosine'
 * h(u) = ½ u² if |u| ≤ δ
 * h(u) = δ (|u| − ½ δ) otherwise
 * ```
 *
 * Use it to match hidden layers that do the same job, with a projection where their widths differ.
 *
 * Avoid it for a student too small: it also pays for values that the teacher's next layer drops.
 *
 * x is the student's row, or its projection, and t the teacher's row. `metric` chooses the formula,
 * and δ is the option `delta`. The loss of a call is the mean over the kept rows.
 *
 * - `student`: features, one row for each sample or token, shape [rows, width], any finite value.
 * - `teacher`: shape [rows, width], or [rows, outputColumns] with a projection. Feature maps, laid
 *   out [channels][positions], are projected position by position.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect.
 *
 * Returns a loss ≥ 0, and ≤ 2 (to rounding) for `'cosine'`. The loss is 0 at x = t, except that the
 * cosine with a row of zeros counts as 0: the loss is 1, with gradient 0. The gradient is with
 * respect to the student's features and exact through the projection, whose parameters get their
 * own gradients. `'l1'` has derivative 0 at a tie. `'l2'` has derivative 0 where two rows are
 * equal; elsewhere its gradient has length 1 in every row, however near the student is.
 *
 * Cost: one pass, and with a projection three products of the two widths for each row. Memory for a
 * few rows beside the gradient.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for widths that differ without a projection or are
 *   not the projection's; `DTYPE_MISMATCH`, `NOT_FINITE`; `OUT_OF_RANGE` for `metric` and `delta`;
 *   `MISPLACED_OPTION` for `delta` without `'huber'`
 * @see [Romero et al. 2015](https://arxiv.org/abs/1412.6550), §2.2 equation 3. "FitNets": `'mse'`.
 *   The paper takes half the sum over columns, which is half the columns times this loss; the mean
 *   is that of TinyBERT (arXiv:1909.10351, equation 8).
 * @see [Sanh et al. 2019](https://arxiv.org/abs/1910.01108), §3. "DistilBERT": `'cosine'`. As in
 *   the paper.
 * @see [Kim et al. 2023](https://arxiv.org/abs/2301.12005), equations 7 and 8. "EmbedDistill":
 *   `'l2'` of embeddings. As in the paper.
 * @reproduces mdistiller
 * @reproduces RepDistiller
 * @reproduces torchdistill
 * @reproduces TextBrewer: with a projection that has a bias
 * @reproduces DistillKit: `metric: 'mse'` or `'cosine'` with a projection
 * @reproduces Liger: `metric: 'cosine'`, × beta
 * @reproduces AiDotNet: of one pair of layers, a row at a time
 * @reproduces sentence-transformers: as its `MSELoss`; as its `EmbedDistillLoss` with
 *   `metric: 'mse'`, `'l2'` or `'cosine'`
 *
 * @example
 * ```ts
 * import { FeatureDistillationStrategy, LinearProjection, Matrix } from 'knowledge-distillation';
 *
 * const projection = new LinearProjection(2, 3);
 * const strategy = new FeatureDistillationStrategy({ projection });
 * const student = Matrix.fromRows([[0.5, -1], [1, 2]]); // 2 samples × 2 features
 * const teacher = Matrix.fromRows([[1, 0, 1], [0, 2, 1]]); // 2 samples × 3 features
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 0.7116
 * console.log(gradient.rows, gradient.columns); // 2 2
 * ```
 */
export class FeatureDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends FeatureDistanceStrategyBase<T> {
  readonly metric: Metric;
  readonly delta: number;

  constructor(options: FeatureDistillationOptions<T> = {}) {
    super(options, ['metric', 'delta']);
    const { metric = 'mse', delta = 1 } = options;
    this.metric = checkChoice(this.name, 'metric', metric, ['mse', 'l2', 'l1', 'huber', 'cosine']);
    this.delta = checkPositive(this.name, 'delta', delta);
    if (options.delta !== undefined && metric !== 'huber') {
      refuseMisplaced(this.name, 'delta', "metric 'huber'", `'${metric}'`);
    }
  }

  override get name(): string {
    return 'FeatureDistillationStrategy';
  }

  protected override distance(): RowDistance {
    const { metric, delta } = this;
    return metric === 'huber' ? huber(delta) : DISTANCES[metric];
  }

  protected override kernel(): RowKernel {
    return { binary: NUMBERS, name: KERNELS[this.metric], option: this.delta };
  }
}
