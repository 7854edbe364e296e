import { NO_OVERRIDES } from '../../call/options.js';
import { ParameterSums } from '../../call/parameter.js';
import type { DistillationStrategyBase } from '../../call/strategy.js';
import type { FloatArray } from '../../core/numeric.js';
import type { LayerwiseArguments, LayerwiseResult } from './layers.js';
import { LayerwiseCall } from './layerwise.js';
import type { NestedHybrid } from './nested.js';

/** A hybrid whose layerwise call is evaluated. */
type OutermostHybrid<T extends FloatArray> = NestedHybrid<T> &
  Pick<DistillationStrategyBase<T>, 'parameters' | 'heldMatrices'>;

/** Evaluates a layerwise call; writes accumulated gradients only once the call has succeeded. */
export function evaluateLayerwise<T extends FloatArray>(
  hybrid: OutermostHybrid<T>,
  given: LayerwiseArguments<T>,
  accumulate: boolean,
): LayerwiseResult<T> {
  const { operation } = given;
  const learned = hybrid.parameters();
  const held = hybrid.heldMatrices();
  const call = new LayerwiseCall(given, hybrid.layerPairs(), learned, held, accumulate);
  const sums = new ParameterSums(learned);
  try {
    const part = { call, operation, inherited: NO_OVERRIDES, scale: 1 };
    const { loss, components } = hybrid.contributeLayerwise(part);
    call.finish();
    sums.check(operation, accumulate);
    sums.commitGradients();
    call.commit();
    return { loss, gradients: call.gradients(), components };
  } finally {
    sums.close();
  }
}
