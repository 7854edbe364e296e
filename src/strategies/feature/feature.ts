import { checkChoice, checkPositive, refuse } from '../../core/errors.js';
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

export interface FeatureDistillationOptions<T extends FloatArray = Float32Array>
  extends ProjectedDistillationOptions<T> {
  /** How two rows are compared; `'mse'`. */
  readonly metric?: Metric | undefined;
  /** Where `'huber'` turns from squared to linear, > 0; 1. */
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
 * Hints: matches hidden features, mean over rows. With x the student's row, or its projection, and
 * y the teacher's:
 *
 *     'mse'     mean over columns of (x − y)²
 *     'l2'      ‖x − y‖, not squared
 *     'l1'      mean over columns of |x − y|
 *     'huber'   mean over columns of ½ (x − y)² where |x − y| ≤ delta, delta (|x − y| − ½ delta) beyond
 *     'cosine'  1 − cos(x, y); 1 with gradient 0 where a row is zero
 *
 * - `student`: features, one row a sample or token, shape [rows, width]; any finite value.
 * - `teacher`: shape [rows, width], or, with a projection, [rows, outputColumns of the projection];
 *   feature maps, laid out [channels][positions], are projected position by position.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss ≥ 0 (≤ 2 for `'cosine'`, to rounding), 0 at x = y. The gradient is with respect to
 * the student's features, exact through the projection, whose own parameters get theirs. `'l1'` has
 * derivative 0 at a tie, and `'l2'` where two rows are equal: elsewhere the derivative of `'l2'`
 * has length 1 in every row, however near the student is.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (widths differ without a projection, or are not the
 * projection's), DTYPE_MISMATCH, NOT_FINITE, OUT_OF_RANGE (metric, delta).
 *
 * Cost: one pass, and with a projection three products of the widths a row; beside the gradient,
 * memory for a few rows.
 *
 * Romero et al. (2015), "FitNets", §2.2 eq. 3, arXiv:1412.6550: `'mse'`, there half the sum over
 * columns; here their mean, as in TinyBERT (arXiv:1909.10351, eq. 8). Sanh et al. (2019),
 * "DistilBERT", §3, arXiv:1910.01108: `'cosine'`. Kim et al. (2023), "EmbedDistill", eq. 7 and 8,
 * arXiv:2301.12005: `'l2'` of embeddings.
 *
 * @example
 * import { FeatureDistillationStrategy, LinearProjection, Matrix } from 'knowledge-distillation';
 *
 * const projection = new LinearProjection(2, 3);
 * const strategy = new FeatureDistillationStrategy({ projection });
 * const student = Matrix.fromRows([[0.5, -1], [1, 2]]);
 * const teacher = Matrix.fromRows([[1, 0, 1], [0, 2, 1]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher); // gradient: 2 × 2
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
      refuse('MISPLACED_OPTION', this.name, 'delta', 'come with huber', metric);
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
