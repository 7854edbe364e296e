// What strategies are, by structure: a program may hold two copies of the library, one for import,
// one for require.

import type { ComponentLoss, Overrides } from '../../call/batch.js';
import type { IDistillationStrategy } from '../../call/options.js';
import { sharesBase } from '../../call/sharesBase.js';
import type { FloatArray } from '../../core/numeric.js';
import type { LabelUse, ReadPair } from './layers.js';
import type { LayerwiseCall } from './layerwise.js';
import type { WeightedStrategy } from './weights.js';

/** What a hybrid needs of the layerwise call that it is a part of. */
export interface LayerwisePart<T extends FloatArray> {
  readonly call: LayerwiseCall<T>;
  readonly operation: string;
  /** What the hybrids around it set. */
  readonly inherited: Overrides;
  /** d(loss of the call) / d(loss of the hybrid). */
  readonly scale: number;
}

/** What a hybrid offers to the one around it. */
export interface NestedHybrid<T extends FloatArray> {
  getStrategies(): readonly WeightedStrategy<T>[];
  layerPairs(): ReadPair[];
  contributeLayerwise(part: LayerwisePart<T>): {
    readonly loss: number;
    readonly components: readonly ComponentLoss[];
  };
}

export function isHybrid<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
): strategy is IDistillationStrategy<T> & NestedHybrid<T> {
  return 'contributeLayerwise' in strategy;
}

/** Whether an entry, or one of a hybrid within, is bound to a layer. */
export function readsLayers<T extends FloatArray>(
  entries: readonly WeightedStrategy<T>[],
): boolean {
  return entries.some(
    ({ strategy, layer }) =>
      layer !== undefined || (isHybrid(strategy) && readsLayers(strategy.getStrategies())),
  );
}

/**
 * How a strategy uses the labels of a call. A bare implementation of the interface does not tell.
 */
export function labelUse<T extends FloatArray>(strategy: IDistillationStrategy<T>): LabelUse {
  if (!sharesBase(strategy)) return 'unknown';
  if (strategy.usesLabels) return 'reads';
  const pairs = isHybrid<T>(strategy) ? strategy.layerPairs() : [];
  return pairs.some(({ labels }) => labels === 'unknown') ? 'unknown' : 'ignores';
}

/** What a component, and the message of an error, calls an entry. */
export function nameOf<T extends FloatArray>({ name, strategy }: WeightedStrategy<T>): string {
  if (name !== undefined) return name;
  return 'name' in strategy ? String(strategy.name) : (strategy.constructor?.name ?? 'strategy');
}
