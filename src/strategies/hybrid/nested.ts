// Strategies are recognized by their structure, because a program may hold two copies of the
// library: one for import, one for require.

import type { ComponentLoss, Overrides } from '../../call/batch.js';
import type { IDistillationStrategy } from '../../call/options.js';
import { sharesBase } from '../../call/sharesBase.js';
import { refuse } from '../../core/errors.js';
import type { Labels } from '../../core/labels.js';
import type { FloatArray } from '../../core/numeric.js';
import {
  type LabelUse,
  type LayerOutputs,
  type LayerwiseOptions,
  type LayerwiseResult,
  layerOf,
  type ReadPair,
  type TeacherLayerOutputs,
} from './layers.js';
import type { LayerwiseCall } from './layerwise.js';
import type { WeightedStrategy } from './weights.js';

/** The part of a layer-by-layer call that a nested hybrid needs. */
export interface LayerwisePart<T extends FloatArray> {
  readonly call: LayerwiseCall<T>;
  readonly operation: string;
  /** Temperature and alpha that the enclosing hybrids set. */
  readonly inherited: Overrides;
  /** d(loss of the call) / d(loss of the hybrid). */
  readonly scale: number;
}

/** The methods that a hybrid offers to the hybrid around it. */
export interface NestedHybrid<T extends FloatArray> {
  getStrategies(): readonly WeightedStrategy<T>[];
  layerPairs(): ReadPair[];
  computeLayerwise(
    studentLayers: LayerOutputs<T>,
    teacherLayers: TeacherLayerOutputs<T>,
    labels?: Labels<T>,
    options?: LayerwiseOptions<T>,
  ): LayerwiseResult<T>;
  contributeLayerwise(part: LayerwisePart<T>): {
    readonly loss: number;
    readonly components: readonly ComponentLoss[];
  };
}

/** Returns whether a strategy is a hybrid, of this copy of the library or of another. */
export function isHybrid<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
): strategy is IDistillationStrategy<T> & NestedHybrid<T> {
  return 'contributeLayerwise' in strategy;
}

/** Returns whether an entry, or an entry of a nested hybrid, names a layer. */
export function readsLayers<T extends FloatArray>(
  entries: readonly WeightedStrategy<T>[],
): boolean {
  return entries.some(
    ({ strategy, layer }) =>
      layer !== undefined || (isHybrid(strategy) && readsLayers(strategy.getStrategies())),
  );
}

/**
 * Returns how a strategy uses the labels of a call. A bare implementation of the interface does not
 * tell.
 */
export function labelUse<T extends FloatArray>(strategy: IDistillationStrategy<T>): LabelUse {
  if (!sharesBase(strategy)) return 'unknown';
  if (strategy.usesLabels) return 'reads';
  const pairs = isHybrid<T>(strategy) ? strategy.layerPairs() : [];
  return pairs.some(({ labels }) => labels === 'unknown') ? 'unknown' : 'ignores';
}

/** Returns the pairs of layers that the entries read, those of nested hybrids included. */
export function layerPairsOf<T extends FloatArray>(
  entries: readonly WeightedStrategy<T>[],
): ReadPair[] {
  return entries.flatMap(({ strategy, layer }) => {
    if (layer === undefined && isHybrid(strategy)) return strategy.layerPairs();
    const [student, teacher] = [layerOf(layer, 'student'), layerOf(layer, 'teacher')];
    const usesTemperatures = takesTemperatures(strategy);
    return [{ student, teacher, labels: labelUse(strategy), usesTemperatures }];
  });
}

/** Throws if an entry, or an entry of a nested hybrid, names a layer. */
export function refuseBound<T extends FloatArray>(
  operation: string,
  entries: readonly WeightedStrategy<T>[],
): void {
  const bound = entries.find((entry) => readsLayers([entry]));
  if (bound === undefined) return;
  const name = nameOf(bound);
  refuse('LAYER', operation, name, 'read no layer in this call', 'an entry bound to a layer', {
    sentence: `entry '${name}' is bound to a layer`,
    hint: 'call computeLayerwise',
  });
}

/** Returns whether a strategy takes a temperature for each row. A bare implementation may. */
export function takesTemperatures<T extends FloatArray>(
  strategy: IDistillationStrategy<T>,
): boolean {
  return !sharesBase(strategy) || strategy.usesTemperatures;
}

/** Returns the name of an entry in components and in messages of errors. */
export function nameOf<T extends FloatArray>({ name, strategy }: WeightedStrategy<T>): string {
  if (name !== undefined) return name;
  return 'name' in strategy ? String(strategy.name) : (strategy.constructor?.name ?? 'strategy');
}
