import { checkChoice } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import { divergenceLoss } from './_divergenceLoss.js';
import type { DistributionRow, SoftLoss } from './_softRows.js';
import type { ResponseTerms, Tail } from './_terms.js';
import { ResponseDistillationStrategyBase, type ResponseOptions } from './base.js';

/** Options of the response losses that are functions of two distributions. */
export interface DivergenceOptions extends ResponseOptions {
  /**
   * What becomes of the classes that {@link SparseTargets} leave out; `'bucket'`.
   *
   * - `'bucket'`: they count as one class more, with the probability that they have together, on
   *   both sides. Needs log-probabilities at the strategy's temperature.
   * - `'renormalize'`: both sides are taken as distributions over the classes that the teacher
   *   kept.
   * - `'drop'`: their terms are left out of the sum. No divergence: it may be negative, and least
   *   elsewhere than at student = teacher. Needs log-probabilities at the strategy's temperature.
   */
  readonly tail?: Tail | undefined;
}

/**
 * Response losses that are functions of p = softmax(teacher / T) and q = softmax(student / T), row
 * by row; a strategy writes {@link divergence} alone. The softmaxes and their derivatives are
 * computed by the engine.
 *
 * The teacher may be {@link SparseTargets}, unless the strategy `needsClasses`. `divergence` then
 * sees the classes that a row of the teacher keeps, and with the tail `'bucket'` one class more;
 * with `'drop'`, p and q sum to less than 1.
 */
export abstract class DivergenceDistillationStrategyBase<
  T extends FloatArray = Float32Array,
> extends ResponseDistillationStrategyBase<T, SparseTargets<T>> {
  readonly tail: Tail;

  /** @param own - the names of the options that a strategy adds */
  constructor(options: DivergenceOptions = {}, own: readonly string[] = []) {
    super(options, ['tail', ...own]);
    const { tail = 'bucket' } = options;
    this.tail = checkChoice(this.name, 'tail', tail, ['bucket', 'renormalize', 'drop']);
  }

  override get isSumOverRows(): true {
    return true;
  }

  /**
   * Returns the loss of a row, a function of `p`, `q` and their logarithms; writes its derivative
   * by log q, as if every log q were free, to `slope`.
   */
  protected abstract divergence(row: DistributionRow): number;

  /** @internal */
  protected override describe(): ResponseTerms {
    return { divergence: (row) => this.divergence(row), tail: this.tail };
  }

  protected override softLoss(columns: number, terms: number): SoftLoss {
    const { completion } = this.describe();
    return divergenceLoss((row) => this.divergence(row), columns, terms, completion);
  }
}
