import type { IDistillationStrategy } from '../../call/options.js';
import { checkOptions, refuse, throwType } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import type { LayerPair } from './layers.js';

/** One strategy of a hybrid. */
export interface WeightedStrategy<T extends FloatArray = Float32Array> {
  readonly strategy: IDistillationStrategy<T>;
  readonly weight: number;
  /**
   * The layer it reads in `computeLayerwise`, of both sides or of each; `'output'` where it is left
   * out.
   */
  readonly layer?: string | LayerPair;
  /** What its component is called; the strategy's own name where it is left out. */
  readonly name?: string;
}

/**
 * Copies of the entries, each property read once; throws unless `strategies` is a list of usable
 * ones.
 */
export function readEntries<T extends FloatArray>(
  operation: string,
  strategies: readonly WeightedStrategy<T>[],
): readonly WeightedStrategy<T>[] {
  if (!Array.isArray(strategies)) {
    throwType(operation, 'strategies', 'be an array of { strategy, weight }', strategies);
  }
  const list: readonly WeightedStrategy<T>[] = [...strategies];
  if (list.length === 0) {
    const expected = 'hold at least one { strategy, weight }';
    refuse('EMPTY', operation, 'strategies', expected, 'an empty array');
  }
  return list.map((entry, index) => readEntry(operation, `strategies[${index}]`, entry));
}

function readEntry<T extends FloatArray>(
  operation: string,
  argument: string,
  entry: WeightedStrategy<T>,
): WeightedStrategy<T> {
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
  if (
    typeof strategy?.computeLoss === 'function' &&
    typeof strategy.computeGradient === 'function'
  ) {
    return;
  }
  throwType(operation, argument, 'have computeLoss and computeGradient', strategy);
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

/** A frozen copy of an entry with its weight divided. */
export function divideWeight<T extends FloatArray>(
  entry: WeightedStrategy<T>,
  divisor: number,
): WeightedStrategy<T> {
  return Object.freeze({ ...entry, weight: entry.weight / divisor });
}
