import type { DistillationBatch } from '../call/batch.js';
import type { StrategyOptions } from '../call/options.js';
import type { Parameter } from '../call/parameter.js';
import { DistillationStrategyBase } from '../call/strategy.js';
import { checkShape } from '../core/checks.js';
import type { FloatArray } from '../core/numeric.js';
import { checkProjection, type LinearProjection } from './linearProjection.js';

/**
 * Options of the strategies that compare the student's features, or their projection, with the
 * teacher's.
 */
export interface ProjectedDistillationOptions<T extends FloatArray = Float32Array>
  extends StrategyOptions {
  /**
   * Maps the student's features to the teacher's width, or its feature maps to the teacher's
   * channels. Without it, both sides need the same width.
   */
  readonly projection?: LinearProjection<T> | undefined;
}

/**
 * Base class of strategies whose sides have the same width, after the projection of the student's
 * features if there is one.
 */
export abstract class ProjectionStrategyBase<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T> {
  readonly projection: LinearProjection<T> | undefined;

  /**
   * @param options - the options of the strategy
   * @param own - names of the options that the strategy adds
   */
  constructor(options: ProjectedDistillationOptions<T> = {}, own: readonly string[] = []) {
    super(options, ['projection', ...own]);
    const { projection } = options;
    if (projection !== undefined) checkProjection(this.name, 'projection', projection);
    this.projection = projection;
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
    const hint =
      teacher.rows === rows
        ? `or pass projection: new LinearProjection(${columns}, ${teacher.columns})`
        : undefined;
    checkShape(operation, 'teacher', teacher, [rows, columns], undefined, hint);
  }

  protected override explain(batch: DistillationBatch<T>): void {
    super.explain(batch);
    this.projection?.explain(batch.operation);
  }
}
