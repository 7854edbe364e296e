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

/**
 * Target number of vectors in one matrix product of the projection: one product of 64 vectors is
 * much faster than 64 products of one.
 */
const VECTORS_PER_PRODUCT = 64;

/**
 * Base class of feature losses that are a {@link distance} between two rows: the teacher's, and the
 * student's or its projection. The base class projects the student's row and takes the derivative
 * through the projection.
 */
export abstract class FeatureDistanceStrategyBase<
  T extends FloatArray = Float32Array,
> extends ProjectionStrategyBase<T> {
  override get isSumOverRows(): true {
    return true;
  }

  /**
   * Returns the distance of two rows of the teacher's width. It is called once for a batch, so that
   * the distance can allocate scratch buffers.
   *
   * @param gradient - the sink of the batch, for a distance with parameters of its own
   */
  protected abstract distance(gradient: GradientSink<T> | undefined): RowDistance;

  /** True if the distance itself has parameters, whose gradients it adds. False by default. */
  protected get hasParameters(): boolean {
    return false;
  }

  /** Returns the WebAssembly kernel of the distance for rows of this width. None by default. */
  protected kernel(_columns: number): RowKernel | undefined {
    return undefined;
  }

  /**
   * Throws unless each row of the teacher has this number of channels at the positions that the
   * projection sees. For `validate` of a strategy.
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
    const sumGradient = gradient?.times(1 / normalizer);
    const distance = this.distance(sumGradient);
    // The weight of a row also multiplies the gradients of the distance's own parameters.
    const distanceOf = (row: number) =>
      rowWeights && this.hasParameters
        ? this.distance(sumGradient?.times(rowWeights[row]!))
        : distance;
    if (this.projection) {
      return sumProjected(this.projection, distanceOf, batch, sumGradient) / normalizer;
    }
    const { columns } = student;
    return meanOverRowsByKernel(batch, gradient, this.kernel(columns), (s, t, derivative, row) =>
      distanceOf(row)(student.data, s, teacher.data, t, columns, derivative),
    );
  }
}

/**
 * Returns the sum of the distances between the projected rows of the student and the rows of the
 * teacher. A projection takes the channels of each position as one vector.
 */
function sumProjected<T extends FloatArray>(
  projection: LinearProjection<T>,
  distanceOf: (row: number) => RowDistance,
  { student, teacher, rows, rowWeights, rowLosses }: DistillationBatch<T>,
  gradient: GradientSink<T> | undefined,
): number {
  const { inputColumns: inputs, outputColumns: outputs } = projection;
  const positions = projection.positionsOf(student);
  const { columns } = teacher;
  const rowsPerProduct = Math.min(Math.ceil(VECTORS_PER_PRODUCT / positions), rows.length);
  const vectors = student.numeric.allocate(rowsPerProduct * student.columns);
  const projectedVectors = new Float64Array(rowsPerProduct * columns);
  const projectedRow = new Float64Array(columns);
  const rowDerivative = gradient && new Float64Array(columns);
  const derivative = new Float64Array(gradient ? rowsPerProduct * columns : 0);
  const inputDerivative = new Float64Array(gradient ? rowsPerProduct * student.columns : 0);
  const studentDerivative = new Float64Array(gradient ? student.columns : 0);
  let sum = 0;
  for (let first = 0; first < rows.length; first += rowsPerProduct) {
    const chunk = rows.slice(first, first + rowsPerProduct);
    const count = chunk.length * positions;
    for (const [i, index] of chunk.entries()) {
      const start = i * student.columns;
      copyTransposed(student.row(index), 0, inputs, positions, vectors, start);
    }
    projection.project(vectors, count, projectedVectors);
    for (const [i, index] of chunk.entries()) {
      const start = i * columns;
      copyTransposed(projectedVectors, start, positions, outputs, projectedRow, 0);
      const distance = distanceOf(index);
      const loss = distance(projectedRow, 0, teacher.data, index * columns, columns, rowDerivative);
      const weight = rowWeights?.[index] ?? 1;
      sum += weight * loss;
      rowLosses?.add(index, loss);
      if (!rowDerivative) continue;
      if (weight !== 1) for (let j = 0; j < columns; j++) rowDerivative[j]! *= weight;
      copyTransposed(rowDerivative, 0, outputs, positions, derivative, start);
    }
    if (!gradient) continue;
    projection.addGradient(vectors, count, derivative, gradient.scale, inputDerivative);
    for (const [i, index] of chunk.entries()) {
      const start = i * student.columns;
      copyTransposed(inputDerivative, start, positions, inputs, studentDerivative, 0);
      gradient.add(index, studentDerivative);
    }
  }
  return sum;
}
