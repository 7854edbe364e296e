import type { ComponentLoss } from '../../call/batch.js';
import type { CountedLoss } from '../../call/options.js';
import { throwOverflow } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { nameOf } from './nested.js';
import type { WeightedStrategy } from './weights.js';

/** The result of an entry of weight 0. */
const NOT_EVALUATED: CountedLoss = { loss: 0, count: 0 };

/** Evaluates each entry, records its component and returns the weighted sum of the losses. */
export function weightedSum<T extends FloatArray>(
  operation: string,
  entries: readonly WeightedStrategy<T>[],
  components: ComponentLoss[],
  evaluate: (entry: WeightedStrategy<T>, name: string) => CountedLoss,
): number {
  let sum = 0;
  for (const entry of entries) {
    const { weight } = entry;
    const name = nameOf(entry);
    const { loss, count } = weight === 0 ? NOT_EVALUATED : evaluate(entry, name);
    const weighted = weight * loss;
    components.push({ name, weight, loss, weighted, count });
    sum += weighted;
  }
  if (!Number.isFinite(sum)) throwOverflow(operation, sum);
  return sum;
}
