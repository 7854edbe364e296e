import type { StrategyOptions } from '../../call/options.js';
import { checkChoice, checkPositive, refuseMisplaced } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { NUMBERS } from '../../engine/binaries/numbers.js';
import type { RowDistance } from '../../kernels/rows/distance.js';
import { hingeLead, logisticLead, pairwise } from '../../kernels/rows/ranking.js';
import type { RowKernel } from '../../kernels/rows/rowKernel.js';
import { RankingStrategyBase } from './base.js';

/** @inline */
type PairLoss = 'logistic' | 'hinge';

/** Options of {@link RankingDistillationStrategy}. */
export interface RankingDistillationOptions extends StrategyOptions {
  /**
   * Loss of a pair of candidates.
   *
   * @defaultValue `'logistic'`
   */
  readonly pairLoss?: PairLoss | undefined;
  /**
   * Lead from which on a pair costs nothing, in units of the student's scores, > 0; for `'hinge'`
   * only.
   *
   * @defaultValue 1
   */
  readonly margin?: number | undefined;
}

/**
 * Puts the candidates of a query in the teacher's order by a loss of pairs.
 *
 * ```math
 * L = mean_(t_k > t_l)(log(1 + e^(−(s_k − s_l)))) for 'logistic'
 * L = mean_(t_k > t_l)(max(0, m − (s_k − s_l))) for 'hinge'
 * ```
 *
 * Use it where only the order of the teacher's scores means something, such as a mean of ranks.
 *
 * Avoid it for nearly equal scores, whose order is chance, and for a thousand candidates.
 *
 * s and t are the rows of scores of the student and of the teacher. A pair (k, l) is two candidates
 * with t_k > t_l. `pairLoss` chooses the formula, and m is the option `margin`. The loss of a call
 * is the mean over the kept rows. Only the order of the teacher's scores is read, not their
 * differences; {@link MarginMSEDistillationStrategy} matches the differences too.
 *
 * - `student`, `teacher`: scores, one row for each query, shape [queries, candidates], at least two
 *   columns, any finite value. A query with fewer candidates has −Infinity on both sides in the
 *   columns that are left over. Two candidates with equal scores of the teacher are not a pair. A
 *   row without a pair has loss 0 and counts in the mean.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect.
 *
 * Returns a loss ≥ 0, in nats for `'logistic'` and in units of the student's scores for `'hinge'`.
 * `'hinge'` is 0 where every pair is in order by the margin. `'logistic'` is above 0 wherever there
 * is a pair. Neither has its minimum at student = teacher. `'hinge'` has derivative 0 where the
 * lead of a pair is exactly the margin. Each row of the gradient sums to 0.
 *
 * [Tang & Wang 2018](https://arxiv.org/abs/1809.07428), "Ranking Distillation", distils an order
 * too, by another loss: without pairs, it takes the teacher's first candidates for positives, each
 * weighted by its rank.
 *
 * Cost: candidates² / 2 pairs for each row, with an exponential and a logarithm for each pair of
 * `'logistic'`, by the kernel that {@link kernelInfo} names. Memory for a few rows beside the
 * gradient.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`; `OUT_OF_RANGE` for a single
 *   column, `pairLoss` and `margin`; `NOT_FINITE` for NaN and +Infinity; `RULED_OUT` for −Infinity
 *   on one side alone; `MISPLACED_OPTION` for a margin without `'hinge'`
 * @see [Burges et al. 2005](https://doi.org/10.1145/1102351.1102363), §3 equation 3. "Learning to
 *   Rank using Gradient Descent": RankNet is `'logistic'`, with a target probability of 1 for the
 *   teacher's order. The paper adds up the pairs; here it is their mean, so that a query counts the
 *   same however many candidates it has.
 * @reproduces sentence-transformers: as its `RankNetLoss`, × 1 / ln 2; its probabilities are at
 *   least 1e-10
 *
 * @example
 * ```ts
 * import { Matrix, RankingDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new RankingDistillationStrategy({ pairLoss: 'hinge' });
 * // Two queries, one of three candidates and one of two.
 * const student = Matrix.fromRows([[2, 1.5, 0], [0, 3, -Infinity]]);
 * const teacher = Matrix.fromRows([[8, 5, -1], [7, 2, -Infinity]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * // The mean of (0.5 + 0 + 0) / 3 and 1 + 3:
 * console.log(loss.toFixed(4)); // 2.0833
 * console.log(gradient.toRows()[1]); // [ -0.5, 0.5, 0 ]
 * ```
 */
export class RankingDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends RankingStrategyBase<T> {
  readonly pairLoss: PairLoss;
  readonly margin: number;

  constructor(options: RankingDistillationOptions = {}) {
    super(options, ['pairLoss', 'margin']);
    const { pairLoss = 'logistic', margin = 1 } = options;
    this.pairLoss = checkChoice(this.name, 'pairLoss', pairLoss, ['logistic', 'hinge']);
    this.margin = checkPositive(this.name, 'margin', margin);
    if (options.margin !== undefined && pairLoss !== 'hinge') {
      refuseMisplaced(this.name, 'margin', "pairLoss 'hinge'", `'${pairLoss}'`);
    }
  }

  override get name(): string {
    return 'RankingDistillationStrategy';
  }

  protected override distance(): RowDistance {
    return pairwise(this.pairLoss === 'hinge' ? hingeLead(this.margin) : logisticLead);
  }

  protected override kernel(): RowKernel {
    return { binary: NUMBERS, name: `${this.pairLoss}Ranking`, option: this.margin };
  }
}
