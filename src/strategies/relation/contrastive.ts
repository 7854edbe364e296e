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

export interface ContrastiveDistillationOptions<T extends FloatArray = Float32Array>
  extends ProjectedDistillationOptions<T> {
  /** τ, by which similarities are divided, > 0; 0.07. */
  readonly contrastTemperature?: number | undefined;
  /** Whether the teacher's rows look for theirs among the student's as well; false. */
  readonly symmetric?: boolean | undefined;
}

/**
 * Contrast within a batch (InfoNCE): each row of the student has to be more like its own row of the
 * teacher than like the teacher's others.
 *
 *     loss = mean over i of −log(exp(cos(sᵢ, tᵢ) / τ) / Σ over j of exp(cos(sᵢ, tⱼ) / τ))
 *
 * s are the student's rows, or their projections, t the teacher's; all rows kept are contrasted
 * with all. `symmetric` takes the mean of that and of the loss with s and t in each other's place.
 *
 * - `student`: features or embeddings, one row a sample, shape [rows, width]; any finite value.
 * - `teacher`: shape [rows, width], or, with a projection, [rows, outputColumns of the projection].
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used: the temperature of
 *   similarities is an option of its own, since a hybrid hands that of logits, which is larger by
 *   far, to all.
 *
 * Returns a loss ≥ 0 in nats, 0 for a single row; log(rows) where nothing is told apart. It is not
 * least at student = teacher, but where other rows are as unlike as can be. The scale of a row does
 * not matter; the cosine of a row of zeros is 0, with gradient 0. The gradient is with respect to
 * the student's features, exact through the projection, whose own parameters get theirs.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (widths differ without a projection, or are not the
 * projection's), DTYPE_MISMATCH, NOT_FINITE, OUT_OF_RANGE (contrastTemperature).
 *
 * Cost: rows² × width multiplications, twice for the gradient, and memory for rows² numbers twice.
 * It is no sum over rows: chunks of a batch do not add up to it, and more rows are a harder task.
 * Copies of a sample count as different.
 *
 * Precision: doubles, except that a kernel multiplies float32 rows, from 32 rows and 32 columns on,
 * in float32, unless a low temperature makes errors of 1e-6 in a logit of that; pairs of a row with
 * its own are in doubles. The loss is good to 1e-6, the gradient to some 1e-6 of its terms, one for
 * each pair.
 *
 * van den Oord et al. (2018), "Representation Learning with Contrastive Predictive Coding", §2.3
 * eq. 4, arXiv:1807.03748, of cosines with the temperature of Wu et al. (2018), arXiv:1805.01978.
 * Between student and teacher: Tian et al. (2020), "Contrastive Representation Distillation",
 * arXiv:1910.10699, who contrast with a memory of all samples instead; Yang et al. (2024),
 * "CLIP-KD", arXiv:2307.12732. `symmetric`: Radford et al. (2021), "CLIP", arXiv:2103.00020.
 *
 * @example
 * import { ContrastiveDistillationStrategy, LinearProjection, Matrix } from 'knowledge-distillation';
 *
 * const projection = new LinearProjection(2, 3);
 * const strategy = new ContrastiveDistillationStrategy({ projection });
 * const student = Matrix.fromRows([[0.5, -1], [1, 2], [-1, 0]]);
 * const teacher = Matrix.fromRows([[1, 0, 1], [0, 2, 1], [-1, 1, 0]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher); // gradient: 3 × 2
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
      const own = grid(projected, rows, outputColumns);
      const result = contrastWith(own, teacher, derivative !== undefined);
      if (derivative && result.derivative) {
        projection.addGradient(data, rows, valuesOf(result.derivative), scale, derivative);
      }
      return result.loss;
    });
  }
}
