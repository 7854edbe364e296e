import type { DistillationBatch } from '../../call/batch.js';
import { checkFinite, checkSides } from '../../call/diagnosis.js';
import type { GradientSink } from '../../call/gradient.js';
import { meanOverRowsByKernel } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import { refuse } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import type { RowDistance } from '../../kernels/rows/distance.js';
import type { RowKernel } from '../../kernels/rows/rowKernel.js';

/**
 * Base class of losses in which a row holds the scores of the candidates of one query. A column
 * that is −Infinity on both sides holds no candidate.
 */
export abstract class RankingStrategyBase<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T> {
  /** Returns the distance of two rows of scores, in JavaScript. */
  protected abstract distance(): RowDistance;

  /** Returns the WebAssembly kernel that computes the same distance. */
  protected abstract kernel(): RowKernel;

  override get isSumOverRows(): true {
    return true;
  }

  protected override validate(batch: DistillationBatch<T>): void {
    super.validate(batch);
    const { operation, student } = batch;
    if (student.columns > 1) return;
    const hint = 'a row holds the scores of all candidates of one query';
    const received = String(student.columns);
    refuse('OUT_OF_RANGE', operation, 'student', 'have at least 2 columns', received, { hint });
  }

  protected override explain(batch: DistillationBatch<T>): void {
    checkFinite(batch, -Infinity);
    const { operation, student, teacher, rows } = batch;
    const hint = 'give both sides -Infinity where there is no candidate';
    for (const row of rows) {
      const sides = {
        row,
        student: student.row(row),
        teacher: teacher.row(row),
        ruledOut: -Infinity,
      };
      checkSides(operation, sides, 'either', (column) => column, hint);
    }
  }

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    const { student, teacher } = batch;
    const distance = this.distance();
    return meanOverRowsByKernel(batch, gradient, this.kernel(), (s, t, derivative) =>
      distance(student.data, s, teacher.data, t, student.columns, derivative),
    );
  }
}
