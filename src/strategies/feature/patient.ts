import type { FloatArray } from '../../core/numeric.js';
import { NUMBERS } from '../../engine/binaries/numbers.js';
import { type RowDistance, squaredChord } from '../../kernels/rows/distance.js';
import type { RowKernel } from '../../kernels/rows/rowKernel.js';
import { FeatureDistanceStrategyBase } from './base.js';

/**
 * Matches the directions of the student's hidden features to the teacher's by squared difference.
 *
 * ```math
 * L = ‖x / ‖x‖ − t / ‖t‖‖² = 2 (1 − cos(x, t))
 * ```
 *
 * Use it between layers of transformers when the direction of a row matters and its length does
 * not.
 *
 * Avoid it for rows of zeros.
 *
 * x is the student's row, or its projection, and t the teacher's row. The loss of a call is the
 * mean over the kept rows.
 *
 * - `student`: features after one layer, such as those of the first token ([CLS]), one row for each
 *   sample, shape [rows, width], any finite value. For several layers, make a hybrid with one entry
 *   for each.
 * - `teacher`: shape [rows, width], or [rows, outputColumns] with a projection.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect.
 *
 * Returns a loss in [0, 4] (to rounding), 0 at x = t. Scaling a row changes nothing. A row of zeros
 * has no direction; zeros take its place, with gradient 0. Its loss is 1 against a row that is not
 * zero, and 0 against another row of zeros.
 *
 * Cost: one pass, and with a projection three products of the two widths for each row. Memory for a
 * few rows beside the gradient. The published weight beside the other losses is 10 to 1000, found
 * by search.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for widths that differ without a projection or are
 *   not the projection's; `DTYPE_MISMATCH`, `NOT_FINITE`
 * @see [Sun et al. 2019](https://arxiv.org/abs/1908.09355), §3.2. "Patient Knowledge Distillation
 *   for BERT Model Compression". The paper sums over rows and layers, and has no projection because
 *   student and teacher have the same width.
 * @reproduces TextBrewer
 *
 * @example
 * ```ts
 * import { Matrix, PatientDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new PatientDistillationStrategy();
 * const student = Matrix.fromRows([[0.5, -1], [1, 2]]);
 * const teacher = Matrix.fromRows([[1, 0], [2, 4]]); // the second row has the student's direction
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 0.5528
 * console.log(gradient.get(0, 0).toFixed(4)); // -0.7155
 * ```
 */
export class PatientDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends FeatureDistanceStrategyBase<T> {
  override get name(): string {
    return 'PatientDistillationStrategy';
  }

  protected override distance(): RowDistance {
    return squaredChord;
  }

  protected override kernel(): RowKernel {
    return { binary: NUMBERS, name: 'patient' };
  }
}
