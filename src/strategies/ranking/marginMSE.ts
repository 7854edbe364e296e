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
 * Matches the margins between a query's positive and its other candidates by mean squared error.
 *
 * ```math
 * L = mean_(j ≥ 1)(((s_0 − s_j) − (t_0 − t_j))²)
 * ```
 *
 * Use it to distil a reranker into a retriever, where one candidate of each query is known to be
 * right.
 *
 * Avoid it where the scores of the two sides have different units, as cosines beside logits.
 *
 * s and t are the rows of scores of the student and of the teacher. Column 0 is the positive. The
 * loss of a call is the mean over the kept rows. Adding a constant to a row does not change its
 * margins. So the student may score around 70, as a dot product does, and the teacher around 0, as
 * a cross-encoder does.
 *
 * - `student`, `teacher`: scores, one row for each query, shape [queries, candidates], at least two
 *   columns, any finite value. Column 0 holds the positive, the columns after it the other
 *   candidates. A query with fewer candidates has −Infinity on both sides in the columns that are
 *   left over, and its mean is over the candidates that it has. The loss of a query that has only
 *   the positive is 0.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect.
 *
 * Returns a loss ≥ 0 in squared units of the scores, 0 where all margins are equal. Each row of the
 * gradient sums to 0.
 *
 * Cost: two passes, in double precision. Memory for a few rows beside the gradient.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`; `OUT_OF_RANGE` for a single
 *   column; `NOT_FINITE` for NaN and +Infinity; `RULED_OUT` for −Infinity on one side alone, or in
 *   column 0
 * @see [Hofstätter et al. 2020](https://arxiv.org/abs/2010.02666), §3. "Improving Efficient Neural
 *   Ranking Models with Cross-Architecture Knowledge Distillation". As in the paper with two
 *   columns: it has one negative for each query.
 * @reproduces sentence-transformers: as its `MarginMSELoss`, with the teacher's margins as labels
 *
 * @example
 * ```ts
 * import { MarginMSEDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new MarginMSEDistillationStrategy();
 * // Two queries: one with two negatives, one with a single negative.
 * const student = Matrix.fromRows([[70, 68, 65], [71, 72, -Infinity]]);
 * const teacher = Matrix.fromRows([[9, 6, 4], [5, 4, -Infinity]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * // The mean of ((2 − 3)² + (5 − 5)²) / 2 and (−1 − 1)²:
 * console.log(loss); // 2.25
 * console.log(gradient.toRows()); // [ [ -0.5, 0.5, 0 ], [ -2, 2, 0 ] ]
 * ```
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
