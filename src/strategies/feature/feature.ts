import { checkShape, type DistillationBatch } from '../../batch.js';
import { checkChoice, checkPositive, refuse, throwType } from '../../errors.js';
import type { GradientSink } from '../../gradient.js';
import {
  cosineDistance,
  huber,
  meanAbsolute,
  meanSquared,
  type RowDistance,
} from '../../kernels/distance.js';
import type { FloatArray } from '../../numeric.js';
import type { Parameter } from '../../parameter.js';
import { sumOverRows } from '../../rows.js';
import { DistillationStrategyBase, type StrategyOptions } from '../../strategy.js';
import type { LinearProjection } from './linearProjection.js';

export interface FeatureDistillationOptions<T extends FloatArray = Float32Array>
  extends StrategyOptions {
  /** How two rows are compared; `'mse'`. */
  readonly metric?: 'mse' | 'cosine' | 'l1' | 'huber';
  /** Where `'huber'` turns from squared to linear, > 0; 1. */
  readonly delta?: number;
  /** Brings the student's features to the teacher's width first. */
  readonly projection?: LinearProjection<T>;
}

/** Rows that are projected in one go. */
const ROWS = 64;

const DISTANCES = { mse: meanSquared, l1: meanAbsolute, cosine: cosineDistance };

/**
 * Hints: matches hidden features, mean over rows. With x the student's row, or its projection, and y the teacher's:
 *
 *     'mse'     mean over columns of (x − y)²
 *     'l1'      mean over columns of |x − y|
 *     'huber'   mean over columns of ½ (x − y)² where |x − y| ≤ delta, delta (|x − y| − ½ delta) beyond
 *     'cosine'  1 − cos(x, y); 1 with gradient 0 where a row is zero
 *
 * - `student`: features, one row a sample or token, shape [rows, width]; any finite value.
 * - `teacher`: shape [rows, width], or, with a projection, [rows, outputColumns of the projection].
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss ≥ 0 (≤ 2 for `'cosine'`, to rounding), 0 at x = y. The gradient is with respect to the student's features, exact
 * through the projection, whose own parameters get theirs. `'l1'` has derivative 0 at a tie.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (widths differ without a projection, or are not the projection's),
 * DTYPE_MISMATCH, NOT_FINITE, OUT_OF_RANGE (metric, delta).
 *
 * Cost: one pass, and with a projection three products of the widths a row; beside the gradient, memory for a few rows.
 *
 * Romero et al. (2015), "FitNets", §2.2 eq. 3, arXiv:1412.6550: `'mse'`, there half the sum over columns; here their mean, as in
 * TinyBERT (arXiv:1909.10351, eq. 8). Sanh et al. (2019), "DistilBERT", §3, arXiv:1910.01108: `'cosine'`.
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
> extends DistillationStrategyBase<T> {
  readonly metric: 'mse' | 'cosine' | 'l1' | 'huber';
  readonly delta: number;
  readonly projection: LinearProjection<T> | undefined;

  constructor(options: FeatureDistillationOptions<T> = {}) {
    super(options, ['metric', 'delta', 'projection']);
    const { metric = 'mse', delta = 1, projection } = options;
    this.metric = checkChoice(this.name, 'metric', metric, ['mse', 'cosine', 'l1', 'huber']);
    this.delta = checkPositive(this.name, 'delta', delta);
    if (options.delta !== undefined && metric !== 'huber') {
      refuse('MISPLACED_OPTION', this.name, 'delta', 'come with huber', metric);
    }
    if (projection !== undefined && typeof projection?.project !== 'function') {
      throwType(this.name, 'projection', 'be a LinearProjection', projection);
    }
    this.projection = projection;
  }

  override get name(): string {
    return 'FeatureDistillationStrategy';
  }

  override parameters(): readonly Parameter<T>[] {
    return this.projection?.parameters() ?? [];
  }

  protected override validate({ operation, student, teacher }: DistillationBatch<T>): void {
    const { projection } = this;
    if (projection) {
      projection.check(operation, student, teacher);
      return;
    }
    const { rows, columns } = student;
    const hint = `or pass a new LinearProjection(${columns}, ${teacher.columns})`;
    checkShape(operation, 'teacher', teacher, rows, columns, undefined, hint);
  }

  protected override explain(batch: DistillationBatch<T>): void {
    super.explain(batch);
    this.projection?.explain(batch.operation);
  }

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    const { metric, delta } = this;
    const distance = metric === 'huber' ? huber(delta) : DISTANCES[metric];
    if (this.projection) return this.#projected(this.projection, distance, batch, gradient);
    const { student, teacher } = batch;
    return sumOverRows(batch, gradient, (s, t, derivative) =>
      distance(student.data, s, teacher.data, t, student.columns, derivative),
    );
  }

  /** Projects some rows at a time: a matrix product is much faster than as many of a vector. */
  #projected(
    projection: LinearProjection<T>,
    distance: RowDistance,
    { student, teacher, rows }: DistillationBatch<T>,
    gradient: GradientSink<T> | undefined,
  ): number {
    const { columns } = teacher;
    const most = Math.min(ROWS, rows.length);
    const features = student.numeric.allocate(most * student.columns);
    const projected = new Float64Array(most * columns);
    const derivative = new Float64Array(gradient ? most * columns : 0);
    const inputDerivative = new Float64Array(gradient ? most * student.columns : 0);
    let sum = 0;
    for (let first = 0; first < rows.length; first += most) {
      const piece = rows.slice(first, first + most);
      for (const [i, row] of piece.entries()) features.set(student.row(row), i * student.columns);
      projection.project(features, piece.length, projected);
      for (const [i, row] of piece.entries()) {
        const [start, end] = [i * columns, (i + 1) * columns];
        const own = gradient && derivative.subarray(start, end);
        sum += distance(projected, start, teacher.data, row * columns, columns, own);
      }
      if (!gradient) continue;
      const { scale } = gradient;
      projection.addGradient(features, piece.length, derivative, scale, inputDerivative);
      for (const [i, row] of piece.entries()) {
        gradient.add(row, inputDerivative, i * student.columns);
      }
    }
    return sum;
  }
}
