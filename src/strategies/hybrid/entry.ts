import type { BatchRequest } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { CountedLoss, IDistillationStrategy } from '../../call/options.js';
import { sharesBase } from '../../call/sharesBase.js';
import type { FloatArray } from '../../core/numeric.js';
import { evaluateBare } from './bare.js';

/** Evaluates the strategy of an entry: adds its gradient to the sink and returns its loss. */
export function evaluateEntry<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
  request: BatchRequest<T>,
  gradient: GradientSink<T> | undefined,
): CountedLoss {
  return sharesBase(strategy)
    ? strategy.contribute(request, gradient)
    : evaluateBare(strategy, request, gradient);
}
