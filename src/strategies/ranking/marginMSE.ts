import type { DistillationBatch } from '../../call/batch.js';
import { checkFinite } from '../../call/diagnosis.js';
import type { StrategyOptions } from '../../call/options.js';
import { refuse } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { NUMBERS } from '../../engine/binaries/numbers.js';
import type { RowDistance } from '../../kernels/rows/distance.js';
import { squaredMargins } from '../../kernels/rows/margins.js';
import type { RowKernel } from '../../kernels/rows/rowKernel.js';
import { RankingStrategyBase } from './base.js';

/**
 * Matches how far a query's positive is ahead of its other candidates, mean over rows:
 *
 *     mean over the candidates j ≥ 1 of ((s₀ − sⱼ) − (t₀ − tⱼ))²
 *
 * The margins do not change when a constant is added to a row, so the student may score around 70,
 * as a dot product, and the teacher around 0, as a cross-encoder.
 *
 * - `student`, `teacher`: scores, one row a query, shape [queries, candidates], at least two
 *   columns: the positive in column 0, the other candidates after it. Any finite value. Queries
 *   with fewer candidates have −Infinity on both sides in the columns that are left over: the mean
 *   is over the candidates that are there. The loss of a query without any but the positive is 0.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss ≥ 0, in squared units of the scores; 0 where all margins are equal. Each row of
 * the gradient sums to 0.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, DTYPE_MISMATCH, OUT_OF_RANGE (one column), NOT_FINITE
 * (NaN, +Infinity), RULED_OUT (−Infinity on one side alone, or in column 0).
 *
 * Cost: two passes, in doubles; beside the gradient, memory for a few rows.
 *
 * Hofstätter et al. (2020), "Improving Efficient Neural Ranking Models with Cross-Architecture
 * Knowledge Distillation", §3, arXiv:2010.02666: there with one negative for each query, that is
 * with two columns.
 *
 * @example
 * import { MarginMSEDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new MarginMSEDistillationStrategy();
 * // Two queries: a positive and two negatives, a positive and one.
 * const student = Matrix.fromRows([[70, 68, 65], [71, 72, -Infinity]]);
 * const teacher = Matrix.fromRows([[9, 6, 4], [5, 4, -Infinity]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss); // 2.25: the mean of ((2 − 3)² + (5 − 5)²) / 2 and (−1 − 1)²
 * console.log(gradient.toRows()); // [[-0.5, 0.5, 0], [-2, 2, 0]]
 */
export class MarginMSEDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends RankingStrategyBase<T> {
  constructor(options: StrategyOptions = {}) {
    super(options, []);
  }

  override get name(): string {
    return 'MarginMSEDistillationStrategy';
  }

  protected override explain(batch: DistillationBatch<T>): void {
    checkFinite(batch, -Infinity);
    const { operation, student, teacher, rows } = batch;
    const hint = 'the positive is in column 0: take a query without one out by a mask';
    for (const row of rows) {
      for (const [argument, scores] of Object.entries({ student, teacher })) {
        if (scores.get(row, 0) !== -Infinity) continue;
        const place = { row, column: 0, hint };
        refuse('RULED_OUT', operation, argument, 'be above -Infinity', '-Infinity', place);
      }
    }
    super.explain(batch);
  }

  protected override distance(): RowDistance {
    return squaredMargins;
  }

  protected override kernel(): RowKernel {
    return { binary: NUMBERS, name: 'margins' };
  }
}
