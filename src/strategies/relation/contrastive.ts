import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import { overBatch, overBatchByProduct } from '../../call/rows.js';
import { checkBoolean, checkPositive } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { contrast } from '../../kernels/pairs/contrastive.js';
import { type Grid, grid } from '../../kernels/products/grid.js';
import type { PairLoss } from '../../kernels/products/product.js';
import { valuesOf } from '../../kernels/products/product.js';
import { checkVectors } from '../../layers/embedding.js';
import {
  type ProjectedDistillationOptions,
  ProjectionStrategyBase,
} from '../../layers/projection.js';

/** Options of {@link ContrastiveDistillationStrategy}. */
export interface ContrastiveDistillationOptions<T extends FloatArray = Float32Array>
  extends ProjectedDistillationOptions<T> {
  /**
   * Temperature τ that divides the similarities, > 0.
   *
   * @defaultValue 0.07
   */
  readonly contrastTemperature?: number | undefined;
  /**
   * Whether each row of the teacher also has to find its own row of the student among the others.
   *
   * @defaultValue false
   */
  readonly symmetric?: boolean | undefined;
}

/**
 * Matches each row of the student to its own row of the teacher among the teacher's other rows, by
 * InfoNCE.
 *
 * ```math
 * L = mean_i(−log(exp(cos(x_i, t_i) / τ) / Σ_j exp(cos(x_i, t_j) / τ)))
 * ```
 *
 * Use it for embeddings that will be compared with each other, in large batches of different
 * samples.
 *
 * Avoid it where a batch holds copies of a sample: copies count as different samples.
 *
 * x are the student's rows, or their projections, and t the teacher's rows. All kept rows are
 * contrasted with all. With `symmetric`, the loss is the mean of L and of L with x and t exchanged.
 *
 * - `student`: features or embeddings, one row for each sample, shape [rows, width], any finite
 *   value.
 * - `teacher`: shape [rows, width], or [rows, outputColumns] with a projection.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect. The temperature of similarities is an option of its own, because a hybrid passes the
 *   temperature of logits, which is far larger, to all its entries.
 *
 * Returns a loss ≥ 0 in nats, 0 for a single row, and log(rows) where no row is told from another.
 * Its minimum is not at student = teacher, but where other rows are as unlike as possible. The
 * scale of a row does not matter. The cosine with a row of zeros is 0, with gradient 0. The
 * gradient is with respect to the student's features and exact through the projection, whose
 * parameters get their own gradients. The loss is no sum over rows: chunks of a batch do not add up
 * to it, and more rows are a harder task. Copies of a sample count as different samples.
 * {@link ContrastiveRepresentationDistillationStrategy} contrasts with a memory of all samples
 * instead.
 *
 * Cost: rows² × width multiplications, and twice as many for the gradient. Memory for 2 · rows²
 * numbers.
 *
 * Precision: double, with one exception. From 32 rows and 32 columns on, a kernel multiplies
 * float32 rows in float32, unless the temperature is so low that errors of 1e-6 in a logit would
 * follow. Pairs of a row with its own row are computed in double. The loss is good to 1e-6, the
 * gradient to some 1e-6 of its terms, one for each pair.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for widths that differ without a projection or are
 *   not the projection's; `DTYPE_MISMATCH`, `NOT_FINITE`; `OUT_OF_RANGE` for `contrastTemperature`
 * @see [van den Oord et al. 2018](https://arxiv.org/abs/1807.03748), §2.3 equation 4.
 *   "Representation Learning with Contrastive Predictive Coding". The paper's loss, here of
 *   cosines, with the temperature of Wu et al. 2018 (arXiv:1805.01978).
 * @see [Yang et al. 2024](https://arxiv.org/abs/2307.12732). "CLIP-KD": the contrast between
 *   student and teacher.
 * @see [Radford et al. 2021](https://arxiv.org/abs/2103.00020). "CLIP": `symmetric: true`.
 * @differs AiDotNet: one temperature for logits and similarities, first rows as negatives, no
 *   gradient.
 *
 * @example
 * ```ts
 * import {
 *   ContrastiveDistillationStrategy,
 *   LinearProjection,
 *   Matrix,
 * } from 'knowledge-distillation';
 *
 * const projection = new LinearProjection(2, 3);
 * const strategy = new ContrastiveDistillationStrategy({ projection });
 * const student = Matrix.fromRows([[0.5, -1], [1, 2], [-1, 0]]); // 3 samples × 2 features
 * const teacher = Matrix.fromRows([[1, 0, 1], [0, 2, 1], [-1, 1, 0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 6.4807
 * console.log(gradient.rows, gradient.columns); // 3 2
 * ```
 */
export class ContrastiveDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends ProjectionStrategyBase<T> {
  readonly contrastTemperature: number;
  readonly symmetric: boolean;

  constructor(options: ContrastiveDistillationOptions<T> = {}) {
    super(options, ['contrastTemperature', 'symmetric']);
    const { contrastTemperature = 0.07, symmetric = false } = options;
    this.contrastTemperature = checkPositive(this.name, 'contrastTemperature', contrastTemperature);
    this.symmetric = checkBoolean(this.name, 'symmetric', symmetric);
  }

  override get name(): string {
    return 'ContrastiveDistillationStrategy';
  }

  protected override validate(batch: DistillationBatch<T>): void {
    super.validate(batch);
    const { operation, student, teacher } = batch;
    checkVectors(operation, 'student', student, this.projection, teacher.columns);
  }

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    const { projection, contrastTemperature, symmetric } = this;
    const contrastWith = (rows: Grid, teacher: Grid, wanted: boolean): PairLoss =>
      contrast(rows, teacher, contrastTemperature, symmetric, wanted);
    if (!projection) return overBatchByProduct(batch, gradient, contrastWith);
    return overBatch(batch, gradient, (student, teacher, derivative, scale) => {
      const { data, rows } = student;
      const { outputColumns } = projection;
      const projected = new Float64Array(rows * outputColumns);
      projection.project(data, rows, projected);
      const projections = grid(projected, rows, outputColumns);
      const result = contrastWith(projections, teacher, derivative !== undefined);
      if (derivative && result.derivative) {
        projection.addGradient(data, rows, valuesOf(result.derivative), scale, derivative);
      }
      return result.loss;
    });
  }
}
