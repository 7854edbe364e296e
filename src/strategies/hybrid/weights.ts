import type { IDistillationStrategy, StrategyOptions } from '../../call/options.js';
import { checkOptions, refuse, throwType } from '../../core/errors.js';
import { type FloatArray, typeTag } from '../../core/numeric.js';
import type { WeightRule } from '../../core/weights.js';
import type { LayerPair } from './layers.js';

/** Options of {@link HybridDistillationStrategy}. */
export interface HybridDistillationOptions extends StrategyOptions {
  /**
   * Rule for the weights. `'sum-to-one'`: each in [0, 1], with sum 1 ± 1e-6. `'normalize'`: finite
   * and ≥ 0, divided by their sum. `'free'`: finite and ≥ 0.
   *
   * @defaultValue `'sum-to-one'`
   */
  readonly weights?: WeightRule | undefined;
}

/** One entry of a hybrid: a strategy with its weight. */
export interface WeightedStrategy<T extends FloatArray = Float32Array> {
  /**
   * Any strategy; a hybrid, too, or an object that has only `computeLoss` and `computeGradient`.
   */
  readonly strategy: IDistillationStrategy<T>;
  /** Factor of the strategy's loss and gradient; an entry with weight 0 is not evaluated. */
  readonly weight: number;
  /**
   * Layer that the entry reads in `computeLayerwise`: one name for both sides, or one for each
   * side.
   *
   * @defaultValue `'output'`
   */
  readonly layer?: string | LayerPair | undefined;
  /**
   * Name of the entry's component.
   *
   * @defaultValue the strategy's own name
   */
  readonly name?: string | undefined;
}

/** Name of the class, which names the operation before the class has an instance. */
export const HYBRID = 'HybridDistillationStrategy';

/** Hint for weights that need not sum to 1. */
export const FREE_WEIGHTS = "or choose weights: 'normalize' or 'free'";

/** Hint for strategies without weights. */
const ENTRIES = 'write [{ strategy: first, weight: 0.5 }, { strategy: second, weight: 0.5 }]';

/**
 * Copies the entries and reads each property once; throws unless `strategies` is a list of usable
 * entries.
 */
export function readEntries<T extends FloatArray>(
  operation: string,
  strategies: readonly WeightedStrategy<T>[],
): readonly WeightedStrategy<T>[] {
  checkEntryList(operation, strategies);
  const list: readonly WeightedStrategy<T>[] = [...strategies];
  if (list.length === 0) {
    const expected = 'hold at least one { strategy, weight }';
    refuse('EMPTY', operation, 'strategies', expected, 'an empty array');
  }
  return list.map((entry, index) => readEntry(operation, `strategies[${index}]`, entry));
}

/** Throws unless `strategies` is an array. Called before the options, which may be a strategy. */
export function checkEntryList(operation: string, strategies: unknown): void {
  if (Array.isArray(strategies)) return;
  const expected = 'be an array of { strategy, weight }';
  throwType(operation, 'strategies', expected, strategies, ENTRIES);
}

function readEntry<T extends FloatArray>(
  operation: string,
  argument: string,
  entry: WeightedStrategy<T>,
): WeightedStrategy<T> {
  if (isStrategy(entry) || typeTag(entry) !== 'Object') {
    throwType(operation, argument, 'be { strategy, weight }', entry, ENTRIES);
  }
  checkOptions(operation, argument, entry, ['strategy', 'weight', 'layer', 'name']);
  const { strategy, weight, layer, name } = entry;
  checkStrategy(operation, `${argument}.strategy`, strategy);
  if (name !== undefined && typeof name !== 'string') {
    throwType(operation, `${argument}.name`, 'be a string', name);
  }
  return {
    strategy,
    weight,
    ...(layer !== undefined && { layer: readLayer(operation, `${argument}.layer`, layer) }),
    ...(name !== undefined && { name }),
  };
}

/** Throws unless `strategy` has the methods of the interface. */
export function checkStrategy<T extends FloatArray>(
  operation: string,
  argument: string,
  strategy: IDistillationStrategy<T>,
): void {
  if (isStrategy(strategy)) return;
  const hint = typeof strategy === 'function' ? 'pass an instance, made with new' : undefined;
  throwType(operation, argument, 'have computeLoss and computeGradient', strategy, hint);
}

function isStrategy(value: unknown): boolean {
  const strategy = value as Partial<IDistillationStrategy> | null | undefined;
  return (
    typeof strategy?.computeLoss === 'function' && typeof strategy.computeGradient === 'function'
  );
}

function readLayer(
  operation: string,
  argument: string,
  layer: string | LayerPair,
): string | LayerPair {
  if (typeof layer === 'string') return layer;
  const expected = 'be a name or { student, teacher }';
  if (typeof layer !== 'object') throwType(operation, argument, expected, layer);
  checkOptions(operation, argument, layer, ['student', 'teacher']);
  const { student, teacher } = layer;
  if (typeof student !== 'string' || typeof teacher !== 'string') {
    throwType(operation, argument, expected, layer);
  }
  return Object.freeze({ student, teacher });
}

/** Returns a frozen copy of an entry with its weight divided. */
export function divideWeight<T extends FloatArray>(
  entry: WeightedStrategy<T>,
  divisor: number,
): WeightedStrategy<T> {
  return Object.freeze({ ...entry, weight: entry.weight / divisor });
}
