import type { StrategyOptions } from '../../call/options.js';
import { checkChoice, checkPositive, refuse } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { NUMBERS } from '../../engine/binaries/numbers.js';
import type { RowDistance } from '../../kernels/rows/distance.js';
import { hingeLead, logisticLead, pairwise } from '../../kernels/rows/ranking.js';
import type { RowKernel } from '../../kernels/rows/rowKernel.js';
import { RankingStrategyBase } from './base.js';

/** @inline */
type PairLoss = 'logistic' | 'hinge';

export interface RankingDistillationOptions extends StrategyOptions {
  /** Loss of a pair of candidates; `'logistic'`. */
  readonly pairLoss?: PairLoss | undefined;
  /** Lead from which on `'hinge'` is 0, in units of the student's scores, > 0; 1. */
  readonly margin?: number | undefined;
}

/**
 * Puts the candidates of a query in the teacher's order, mean over rows. A pair (k, l) is two
 * candidates with tₖ > tₗ:
 *
 *     'logistic'  mean over pairs of log(1 + e^−(sₖ − sₗ))
 *     'hinge'     mean over pairs of max(0, margin − (sₖ − sₗ))
 *
 * Only the order of the teacher's scores is read, not how far they are apart. For a teacher whose
 * scores have no unit of their own, such as a mean of ranks; `MarginMSEDistillationStrategy` also
 * matches the differences of scores.
 *
 * - `student`, `teacher`: scores, one row a query, shape [queries, candidates], at least two
 *   columns; any finite value. Queries with fewer candidates have −Infinity on both sides in the
 *   columns that are left over. Candidates that the teacher gives equal scores are no pair. The
 *   loss of a row without a pair is 0, and the row counts in the mean.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss ≥ 0, in nats for `'logistic'` and in units of the student's scores for `'hinge'`;
 * `'hinge'` is 0 where every pair is in order by the margin, `'logistic'` is above 0 wherever there
 * is a pair. Neither is least at student = teacher. `'hinge'` has derivative 0 where the lead of a
 * pair is exactly the margin. Each row of the gradient sums to 0.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, DTYPE_MISMATCH, OUT_OF_RANGE (one column, pairLoss,
 * margin), NOT_FINITE (NaN, +Infinity), RULED_OUT (−Infinity on one side alone), MISPLACED_OPTION
 * (a margin without `'hinge'`).
 *
 * Cost: candidates² / 2 pairs a row, with an exponential and a logarithm each for `'logistic'`, by
 * the kernel that `kernelInfo` names; beside the gradient, memory for a few rows.
 *
 * Burges et al. (2005), "Learning to Rank using Gradient Descent", §3 eq. 3,
 * doi:10.1145/1102351.1102363: RankNet, `'logistic'` with a target probability of 1 for the order
 * of the teacher. The paper adds up the pairs; here their mean, so that a query counts the same
 * however many candidates it has. Tang & Wang (2018), "Ranking Distillation", arXiv:1809.07428,
 * distils an order too, but without pairs: it takes the teacher's first candidates for positives,
 * each with a weight by its rank.
 *
 * @example
 * import { Matrix, RankingDistillationStrategy } from 'knowledge-distillation';
 *
 * const strategy = new RankingDistillationStrategy({ pairLoss: 'hinge' });
 * // Two queries, of three candidates and of two.
 * const student = Matrix.fromRows([[2, 1.5, 0], [0, 3, -Infinity]]);
 * const teacher = Matrix.fromRows([[8, 5, -1], [7, 2, -Infinity]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 2.0833: the mean of (0.5 + 0 + 0) / 3 and 1 + 3
 * console.log(gradient.toRows()[1]); // [-0.5, 0.5, 0]
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
      refuse('MISPLACED_OPTION', this.name, 'margin', "come with pairLoss 'hinge'", pairLoss);
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
