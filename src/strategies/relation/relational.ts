import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { overBatchByProduct } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import { checkNonNegative, refuse } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { withProducts } from '../../kernels/pairs/gram.js';
import { distanceAdjoint, pairDistances } from '../../kernels/pairs/pairDistances.js';
import { angleDifference, distanceDifference } from '../../kernels/pairs/relational.js';
import type { Precision } from '../../kernels/products/productSimd.js';

/** Options of {@link RelationalDistillationStrategy}. */
export interface RelationalDistillationOptions extends StrategyOptions {
  /**
   * Weight of the distances of pairs, ≥ 0.
   *
   * @defaultValue 1
   */
  readonly distanceWeight?: number | undefined;
  /**
   * Weight of the angles of triples, ≥ 0. At 0, angles are not computed.
   *
   * @defaultValue 2
   */
  readonly angleWeight?: number | undefined;
}

/**
 * Matches the distances and angles between the samples of a batch by Huber's loss.
 *
 * ```math
 * L = a D + b A
 * D = mean_(i,j)(h(ψ_(i,j)(s) − ψ_(i,j)(t)))
 * A = mean_(i,j,k)(h(φ_(i,j,k)(s) − φ_(i,j,k)(t)))
 * ψ_(i,j)(x) = ‖x_i − x_j‖ / μ
 * μ = mean_(i ≠ j)(‖x_i − x_j‖)
 * φ_(i,j,k)(x) = cos(x_i − x_j, x_k − x_j)
 * h(u) = ½ u² if |u| ≤ 1
 * h(u) = |u| − ½ otherwise
 * ```
 *
 * Use it for embeddings that will be compared by distance; student and teacher may differ in width.
 *
 * Avoid it for large batches, whose angles cost B³, unless `angleWeight` is 0.
 *
 * s and t are the rows of the student and of the teacher, a is the option `distanceWeight` and b
 * the option `angleWeight`. The means are over all pairs (i, j) and all triples (i, j, k) of kept
 * rows.
 *
 * Rows that are equal, or closer to each other than 1e-12 μ, have no direction from one to the
 * other. Where such a direction is a side of an angle, its cosine is 0, and the derivatives of the
 * cosine and of ψ are 0. Where all rows are equal, ψ is 0.
 *
 * - `student`, `teacher`: embeddings or features, one row for each sample, any finite value. The
 *   two sides may differ in columns.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect.
 *
 * Returns a loss in [0, 2 a + 1.5 b], 0 at student = teacher and for a single row. For two rows it
 * is 0 too, unless they are equal on one side. Moving or scaling a side changes nothing. The
 * gradient is exact, through μ too. The loss is no sum over rows: chunks of a batch do not add up
 * to it.
 *
 * Cost, for B rows: B² · columns multiplications for the gradient, half of that for each side, and
 * some 12 B³ operations for the angles. Memory for 5 B² numbers and, with float32 or a gradient,
 * for both sides.
 *
 * Precision: double, and rows that are close to each other are subtracted element by element. A
 * distance is good to 1e-12 of itself, and a pair's part of the gradient to 1e-15 times
 * ‖x‖ / distance. Two products may be in float32:
 *
 * - Without angles, from 32 rows and 32 columns on, a kernel multiplies float32 rows in float32:
 *   each side with itself or, where the rows of both sides are close, the teacher and the
 *   difference. Where errors of 2e-7 of the distances' differences might still show, the products
 *   are computed again in double.
 * - The last products of a float32 gradient, unless two rows are closer than 1/16 of the mean
 *   distance. The gradient is good to some 3e-7 of its terms, by differences of rows, and to 2e-6
 *   at worst.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for another number of rows; `DTYPE_MISMATCH`,
 *   `NOT_FINITE`; `OUT_OF_RANGE` for a weight, and for two weights of 0
 * @see [Park et al. 2019](https://arxiv.org/abs/1904.05068), §3.2. "Relational Knowledge
 *   Distillation". The default weights are those of the authors' code for metric learning; for
 *   image classification they are 25 and 50. The paper sums over pairs and triples of different
 *   rows; the means over all are the authors' code. That code also has floors of 1e-6 for distances
 *   and of 1e-12 for the sides of angles, so that equal rows have a gradient of the order of 1e12
 *   there, and 0 here.
 * @reproduces mdistiller: `distanceWeight: 25, angleWeight: 50`
 * @reproduces RepDistiller: `distanceWeight: 25, angleWeight: 50`
 * @reproduces torchdistill
 * @differs AiDotNet: distances without their mean, squared differences of sampled angles.
 *
 * @example
 * ```ts
 * import { Matrix, RelationalDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new RelationalDistillationStrategy({ distanceWeight: 25, angleWeight: 50 });
 * const student = Matrix.fromRows([[0, 0], [1, 0.2], [0.3, 0.9]]); // 3 samples × 2 features
 * const teacher = Matrix.fromRows([[0, 0, 0], [3, 0, 1], [0, 2, 2]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 0.2858
 * console.log(gradient.rows, gradient.columns); // 3 2
 * ```
 */
export class RelationalDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T> {
  readonly distanceWeight: number;
  readonly angleWeight: number;

  constructor(options: RelationalDistillationOptions = {}) {
    super(options, ['distanceWeight', 'angleWeight']);
    const { distanceWeight = 1, angleWeight = 2 } = options;
    this.distanceWeight = checkNonNegative(this.name, 'distanceWeight', distanceWeight);
    this.angleWeight = checkNonNegative(this.name, 'angleWeight', angleWeight);
    if (distanceWeight + angleWeight === 0) {
      refuse('OUT_OF_RANGE', this.name, 'angleWeight', 'be > 0 where distanceWeight is 0', '0');
    }
  }

  override get name(): string {
    return 'RelationalDistillationStrategy';
  }

  /**
   * Checks nothing more: rows are compared with rows of their own side, so the columns may differ.
   */
  protected override validate(): void {}

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    const { distanceWeight, angleWeight } = this;
    return overBatchByProduct(batch, gradient, (student, teacher, wanted) => {
      const evaluate = (precision: Precision) => {
        const pairs = pairDistances(student, teacher, precision);
        if (!pairs) return undefined;
        const slopes = wanted ? new Float64Array(student.rows ** 2) : undefined;
        let loss = 0;
        if (distanceWeight > 0) {
          const difference = distanceDifference(pairs, distanceWeight, slopes);
          if (difference === undefined) return undefined;
          loss += distanceWeight * difference;
        }
        if (angleWeight > 0) loss += angleWeight * angleDifference(pairs, angleWeight, slopes);
        return { loss, derivative: slopes && distanceAdjoint(slopes, student, pairs) };
      };
      // The law of cosines cancels more digits than float32 products have.
      return angleWeight > 0 ? evaluate('float64')! : withProducts(student, evaluate);
    });
  }
}
