import { checkNumber, checkOptions, refuse, throwType } from '../../errors.js';
import type { FloatArray } from '../../numeric.js';
import type { IDistillationStrategy } from '../../strategy.js';

/** One strategy of a hybrid. */
export interface WeightedStrategy<T extends FloatArray = Float32Array> {
  readonly strategy: IDistillationStrategy<T>;
  readonly weight: number;
  /** The layer it reads in `computeLayerwise`, of both sides or of each; `'output'` where it is left out. */
  readonly layer?: string | { readonly student: string; readonly teacher: string };
  /** What its component is called; the strategy's own name where it is left out. */
  readonly name?: string;
}

/** @inline What is asked of the weights of a hybrid. */
export type WeightRule = 'sum-to-one' | 'normalize' | 'free';

const SUM_TOLERANCE = 1e-6;

/** Throws unless `strategies` is a list of usable entries. */
export function checkEntries<T extends FloatArray>(
  operation: string,
  strategies: readonly WeightedStrategy<T>[],
): readonly WeightedStrategy<T>[] {
  if (!Array.isArray(strategies)) {
    throwType(operation, 'strategies', 'be an array of { strategy, weight }', strategies);
  }
  if (strategies.length === 0) {
    refuse(
      'EMPTY',
      operation,
      'strategies',
      'hold at least one { strategy, weight }',
      'an empty array',
    );
  }
  for (const [index, entry] of strategies.entries()) {
    const argument = `strategies[${index}]`;
    checkOptions(operation, argument, entry, ['strategy', 'weight', 'layer', 'name']);
    const { strategy, layer, name } = entry;
    if (
      typeof strategy?.computeLoss !== 'function' ||
      typeof strategy.computeGradient !== 'function'
    ) {
      const expected = 'have computeLoss and computeGradient';
      throwType(operation, `${argument}.strategy`, expected, strategy);
    }
    if (typeof layer === 'object') {
      checkOptions(operation, `${argument}.layer`, layer, ['student', 'teacher']);
    }
    const sides = typeof layer === 'object' ? [layer.student, layer.teacher] : [layer];
    if (layer !== undefined && sides.some((side) => typeof side !== 'string')) {
      throwType(operation, `${argument}.layer`, 'be a name or { student, teacher }', layer);
    }
    if (name !== undefined && typeof name !== 'string') {
      throwType(operation, `${argument}.name`, 'be a string', name);
    }
  }
  return strategies;
}

/**
 * Throws unless the weights keep the rule; returns their sum. `argumentOf` names one of them, `hint` says what to do about one
 * that is above 1.
 */
export function checkWeights(
  operation: string,
  weights: readonly number[],
  rule: WeightRule,
  argumentOf: (index: number) => string,
  hint?: string,
): number {
  const most = rule === 'sum-to-one' ? 1 : Number.MAX_VALUE;
  const range = rule === 'sum-to-one' ? 'be in [0, 1]' : 'be a finite number ≥ 0';
  const inRange = (weight: number) => weight >= 0 && weight <= most;
  for (const [index, weight] of weights.entries()) {
    const isLarge = weight > most && weight < Infinity;
    checkNumber(operation, argumentOf(index), weight, range, inRange, isLarge ? hint : undefined);
  }
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const wrong =
    rule === 'sum-to-one'
      ? Math.abs(sum - 1) > SUM_TOLERANCE
      : rule === 'normalize' && !(sum > 0 && sum < Infinity);
  if (!wrong) return sum;
  const addends = weights.length > 1 ? ` (${weights.join(' + ')})` : '';
  refuse(
    'WEIGHT_SUM',
    operation,
    'weights',
    rule === 'sum-to-one' ? 'sum to 1 (±1e-6)' : 'have a finite sum above 0',
    `${Number(sum.toPrecision(12))}${addends}`,
  );
}

/** A frozen copy of an entry with its weight divided. */
export function copyEntry<T extends FloatArray>(
  { strategy, weight, layer, name }: WeightedStrategy<T>,
  divisor: number,
): WeightedStrategy<T> {
  const frozen = typeof layer === 'object' ? Object.freeze({ ...layer }) : layer;
  return Object.freeze({
    strategy,
    weight: weight / divisor,
    ...(frozen !== undefined && { layer: frozen }),
    ...(name !== undefined && { name }),
  });
}
