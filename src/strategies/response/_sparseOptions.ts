import { checkChoice } from '../../core/errors.js';
import type { Tail } from './_terms.js';
import type { ResponseOptions } from './base.js';

/** Options of the response losses that take {@link SparseTargets} for a teacher. */
export interface SparseResponseOptions extends ResponseOptions {
  /**
   * What becomes of the classes that {@link SparseTargets} leave out; `'bucket'`.
   *
   * - `'bucket'`: they count as one class more, with the probability that they have together, on both sides. Needs
   *   log-probabilities at the strategy's temperature.
   * - `'renormalize'`: both sides are taken as distributions over the classes that the teacher kept.
   * - `'drop'`: their terms are left out of the sum. No divergence: it may be negative, and least elsewhere than at
   *   student = teacher. Needs log-probabilities at the strategy's temperature.
   */
  readonly tail?: Tail | undefined;
}

/** The option `tail`; throws unless it is one of the three. */
export function tailOf(operation: string, { tail = 'bucket' }: SparseResponseOptions): Tail {
  return checkChoice(operation, 'tail', tail, ['bucket', 'renormalize', 'drop']);
}
