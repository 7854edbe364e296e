import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import { meanOverRowsByKernel } from '../../call/rows.js';
import { checkShape } from '../../core/checks.js';
import type { FloatArray } from '../../core/numeric.js';
import { copyTransposed } from '../../kernels/products/grid.js';
import type { RowDistance } from '../../kernels/rows/distance.js';
import type { RowKernel } from '../../kernels/rows/rowKernel.js';
import type { LinearProjection } from '../../layers/linearProjection.js';
import { ProjectionStrategyBase } from '../../layers/projection.js';

/** Vectors that are projected in one go. */
const VECTORS = 64;

/**
 * What the losses of features share that are a {@link distance} between the student's row, or its
 * projection, and the teacher's: the base projects, and takes the derivative through the
 * projection.
 */
export abstract class FeatureDistanceStrategyBase<
  T extends FloatArray = Float32Array,
> extends ProjectionStrategyBase<T> {
  override get isSumOverRows(): true {
    return true;
  }

  /**
   * The distance of two rows of the teacher's width; called once for a batch, for what it needs
   * room for. The sink is for a distance.
   */
  protected abstract distance(gradient: GradientSink<T> | undefined): RowDistance;

  /** Whether the distance itself has parameters, whose gradients it adds; false by default. */
  protected get hasParameters(): boolean {
    return false;
  }

  /** The kernel of the distance, for rows of this many columns; none by default. */
  protected kernel(_columns: number): RowKernel | undefined {
    return undefined;
  }

  /**
   * For `validate`: throws unless the teacher's rows have this number of channels, at the positions
   * that a projection sees.
   */
  protected checkChannels(
    { operation, student, teacher }: DistillationBatch<T>,
    channels: number,
  ): void {
    const positions =
      this.projection?.positionsOf(student) ?? Math.max(1, Math.floor(teacher.columns / channels));
    const why = `${channels} channels × ${positions} positions`;
    checkShape(operation, 'teacher', teacher, [teacher.rows, channels * positions], why);
  }

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    const { student, teacher, normalizer, rowWeights } = batch;
    const ofDistance = gradient?.times(1 / normalizer);
    const distance = this.distance(ofDistance);
    // The gradients of parameters of its own count what the row counts.
    const distanceOf = (row: number) =>
      rowWeights && this.hasParameters
        ? this.distance(ofDistance?.times(rowWeights[row]!))
        : distance;
    if (this.projection) {
      return projected(this.projection, distanceOf, batch, ofDistance) / normalizer;
    }
    const { columns } = student;
    return meanOverRowsByKernel(batch, gradient, this.kernel(columns), (s, t, derivative, row) =>
      distanceOf(row)(student.data, s, teacher.data, t, columns, derivative),
    );
  }
}

/**
 * The sum of the distances of projected rows. A projection takes the channels of each position as a
 * vector, many in one go: a matrix product is much faster than as many of a vector.
 */
function projected<T extends FloatArray>(
  projection: LinearProjection<T>,
  distanceOf: (row: number) => RowDistance,
  { student, teacher, rows, rowWeights, rowLosses }: DistillationBatch<T>,
  gradient: GradientSink<T> | undefined,
): number {
  const { inputColumns: inputs, outputColumns: outputs } = projection;
  const positions = projection.positionsOf(student);
  const { columns } = teacher;
  const most = Math.min(Math.ceil(VECTORS / positions), rows.length);
  const vectors = student.numeric.allocate(most * student.columns);
  const projectedVectors = new Float64Array(most * columns);
  const row = new Float64Array(columns);
  const rowDerivative = gradient && new Float64Array(columns);
  const derivative = new Float64Array(gradient ? most * columns : 0);
  const inputDerivative = new Float64Array(gradient ? most * student.columns : 0);
  const studentDerivative = new Float64Array(gradient ? student.columns : 0);
  let sum = 0;
  for (let first = 0; first < rows.length; first += most) {
    const piece = rows.slice(first, first + most);
    const count = piece.length * positions;
    for (const [i, index] of piece.entries()) {
      const start = i * student.columns;
      copyTransposed(student.row(index), 0, inputs, positions, vectors, start);
    }
    projection.project(vectors, count, projectedVectors);
    for (const [i, index] of piece.entries()) {
      const start = i * columns;
      copyTransposed(projectedVectors, start, positions, outputs, row, 0);
      const distance = distanceOf(index);
      const loss = distance(row, 0, teacher.data, index * columns, columns, rowDerivative);
      const weight = rowWeights?.[index] ?? 1;
      sum += weight * loss;
      rowLosses?.add(index, loss);
      if (!rowDerivative) continue;
      if (weight !== 1) for (let j = 0; j < columns; j++) rowDerivative[j]! *= weight;
      copyTransposed(rowDerivative, 0, outputs, positions, derivative, start);
    }
    if (!gradient) continue;
    projection.addGradient(vectors, count, derivative, gradient.scale, inputDerivative);
    for (const [i, index] of piece.entries()) {
      const start = i * student.columns;
      copyTransposed(inputDerivative, start, positions, inputs, studentDerivative, 0);
      gradient.add(index, studentDerivative);
    }
  }
  return sum;
}
