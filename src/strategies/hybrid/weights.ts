import type { IDistillationStrategy } from '../../call/strategy.js';
import { checkOptions, refuse, throwType } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';

/** One strategy of a hybrid. */
export interface WeightedStrategy<T extends FloatArray = Float32Array> {
  readonly strategy: IDistillationStrategy<T>;
  readonly weight: number;
  /** The layer it reads in `computeLayerwise`, of both sides or of each; `'output'` where it is left out. */
  readonly layer?: string | { readonly student: string; readonly teacher: string };
  /** What its component is called; the strategy's own name where it is left out. */
  readonly name?: string;
}

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
