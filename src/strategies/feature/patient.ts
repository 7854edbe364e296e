import type { FloatArray } from '../../core/numeric.js';
import { NUMBERS } from '../../engine/binaries/numbers.js';
import { type RowDistance, squaredChord } from '../../kernels/rows/distance.js';
import type { RowKernel } from '../../kernels/rows/rowKernel.js';
import { FeatureDistanceStrategyBase } from './base.js';

/**
 * Patient distillation: matches the directions of hidden features, mean over rows. With x the
 * student's row, or its projection, and y the teacher's:
 *
 *     loss = ‖x/‖x‖ − y/‖y‖‖² = 2 (1 − cos(x, y))
 *
 * - `student`: features, one row a sample, as of the first token ([CLS]) after one layer, shape
 *   [rows, width]; any finite value. For several layers make a hybrid with an entry for each.
 * - `teacher`: shape [rows, width], or, with a projection, [rows, outputColumns of the projection].
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss in [0, 4] (to rounding), 0 at x = y; it does not change when a row is scaled. A
 * zero row has no direction, and zeros take its place: the loss is 1 against a row that is not
 * zero, 0 against one that is, with gradient 0.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (widths differ without a projection, or are not the
 * projection's), DTYPE_MISMATCH, NOT_FINITE.
 *
 * Cost: one pass, and with a projection three products of the widths a row; beside the gradient,
 * memory for a few rows. The published weight beside the other losses is 10 to 1000, searched.
 *
 * Sun et al. (2019), "Patient Knowledge Distillation for BERT Model Compression", §3.2,
 * arXiv:1908.09355. The paper sums over rows and layers; it has no projection, its student being as
 * wide as its teacher.
 *
 * @example
 * import { Matrix, PatientDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new PatientDistillationStrategy();
 * const student = Matrix.fromRows([[0.5, -1], [1, 2]]);
 * const teacher = Matrix.fromRows([[1, 0], [2, 4]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
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
