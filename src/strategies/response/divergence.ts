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
   * Treatment of the classes that {@link SparseTargets} leave out.
   *
   * - `'bucket'`: they are one more class, with their summed probability, on both sides. Needs
   *   log-probabilities at the strategy's temperature.
   * - `'renormalize'`: both sides are distributions over the kept classes.
   * - `'drop'`: their terms are left out of the sum. The loss may then be negative, and is in
   *   general not least at student = teacher. Needs log-probabilities at the strategy's
   *   temperature.
   *
   * @defaultValue 'bucket'
   */
  readonly tail?: Tail | undefined;
}

/**
 * Base class of the response losses that are functions of p = softmax(t / T) and q = softmax(s /
 * T), row by row; a strategy implements {@link divergence}. The engine computes the softmaxes and
 * their adjoint.
 *
 * The teacher may be {@link SparseTargets}, unless `needsClasses` is true. `divergence` then gets
 * the kept classes of a row, and with the tail `'bucket'` one more class. With `'drop'`, p and q
 * sum to less than 1.
 */
export abstract class DivergenceDistillationStrategyBase<
  T extends FloatArray = Float32Array,
> extends ResponseDistillationStrategyBase<T, SparseTargets<T>> {
  readonly tail: Tail;

  /**
   * @param options - the options of the strategy
   * @param own - names of the options that the strategy adds
   */
  constructor(options: DivergenceOptions = {}, own: readonly string[] = []) {
    super(options, ['tail', ...own]);
    const { tail = 'bucket' } = options;
    this.tail = checkChoice(this.name, 'tail', tail, ['bucket', 'renormalize', 'drop']);
  }

  override get isSumOverRows(): true {
    return true;
  }

  /**
   * Returns the loss of a row, a function of `p`, `q` and their logarithms. Writes its derivative
   * by log q to `slope`, with each log q taken as a free variable.
   *
   * @param row - the two distributions, and the output buffer `slope`
   * @returns the soft loss of the row, without T² and weights
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
