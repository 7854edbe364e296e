import type { FloatArray } from '../core/numeric.js';
import type { IDistillationStrategy } from './options.js';
import type { DistillationStrategyBase } from './strategy.js';

/**
 * Whether a strategy extends the base class, of this copy of the library or of another copy. False
 * for a strategy that implements the interface alone.
 */
export function sharesBase<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
): strategy is DistillationStrategyBase<T> {
  return 'contribute' in strategy;
}
