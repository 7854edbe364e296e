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

export interface RelationalDistillationOptions extends StrategyOptions {
  /** Weight of the distances of pairs, ≥ 0; 1. */
  readonly distanceWeight?: number | undefined;
  /** Weight of the angles of triples, ≥ 0; 2. At 0 they cost nothing. */
  readonly angleWeight?: number | undefined;
}

/**
 * Relational distillation: the distances and angles between the samples of a batch. Over its rows x
 * together, B of them:
 *
 *     loss = distanceWeight · mean over all (i, j) of h(ψ(i, j) of the student − ψ(i, j) of the teacher)
 *          + angleWeight · mean over all (i, j, k) of h(cos(i, j, k) of the student − cos(i, j, k) of the teacher)
 *     ψ(i, j) = ‖xᵢ − xⱼ‖ / µ,  µ = mean of ‖xᵢ − xⱼ‖ over i ≠ j;  cos(i, j, k) of the angle at xⱼ between xᵢ and xₖ
 *     h(u) = ½ u² for |u| ≤ 1, |u| − ½ beyond
 *
 * Rows that are equal, or nearer to each other than 1e-12 µ, have no direction from one to the
 * other: where that would be a side of an angle its cosine is 0, and the derivatives of the cosine
 * and of ψ are 0. Where all rows are equal ψ is 0.
 *
 * - `student`, `teacher`: embeddings or features, one row a sample; any finite value. The columns
 *   may differ.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss in [0, 2 · distanceWeight + 1.5 · angleWeight], 0 at student = teacher and for a
 * single row; for two rows too, unless they are equal on one side. It does not change when a side
 * is moved or scaled. The gradient is exact, through µ too.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (rows), DTYPE_MISMATCH, NOT_FINITE, OUT_OF_RANGE
 * (weights).
 *
 * Cost: B² · columns multiplications for the gradient and half of that for each side, some 12 B³
 * operations for the angles, and memory for B² numbers five times and, with float32 or a gradient,
 * for those of both sides. It is no sum over rows: chunks of a batch do not add up to it.
 *
 * Precision: doubles, and rows that are near each other are subtracted one by one: a distance is
 * good to 1e-12 of itself, and what the gradient has of a pair to 1e-15 times ‖x‖ / distance.
 * Without angles, a kernel multiplies float32 rows, from 32 rows and 32 columns on, in float32:
 * each side with itself or, where the rows of both sides are close, the teacher and the difference;
 * once more in doubles where errors of 2e-7 of what distances differ by might still show. The
 * products that a float32 gradient sums up last are of float32, unless two rows are nearer than
 * 1/16 of the mean distance: it is good to some 3e-7 of its terms, by differences of rows, and to
 * 2e-6 at worst.
 *
 * Park et al. (2019), "Relational Knowledge Distillation", §3.2, arXiv:1904.05068, with the weights
 * of the authors' code for metric learning; for image classification they are 25 and 50. The paper
 * sums over pairs and triples of different rows; the means over all are the authors' code, which
 * also has a floor of 1e-6 for distances and one of 1e-12 for the sides of angles. With the latter
 * rows that are equal have a gradient of the order of 1e12; here it is 0.
 *
 * @example
 * import { Matrix, RelationalDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new RelationalDistillationStrategy({ distanceWeight: 25, angleWeight: 50 });
 * const student = Matrix.fromRows([[0, 0], [1, 0.2], [0.3, 0.9]]);
 * const teacher = Matrix.fromRows([[0, 0, 0], [3, 0, 1], [0, 2, 2]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher); // gradient: 3 × 2
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

  /** Rows are compared with rows of their own side alone: the columns may differ. */
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
