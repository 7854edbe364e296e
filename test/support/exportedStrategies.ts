import type { DivergenceDistillationStrategyBase, DivergenceOptions } from '../../src/index.js';
import * as library from '../../src/index.js';

const { DistillationStrategyBase } = library;

const strategies = Object.entries(library)
  .filter(
    ([name, value]) =>
      typeof value === 'function' &&
      value.prototype instanceof DistillationStrategyBase &&
      !name.endsWith('Base'), // base classes for users
  )
  .sort();

/** The names of the strategies. */
export function exportedStrategies(): string[] {
  return strategies.map(([name]) => name);
}

/** A divergence of two distributions, which is not abstract. */
type DivergenceClass = new <T extends library.FloatArray>(
  options?: DivergenceOptions,
) => DivergenceDistillationStrategyBase<T>;

/** The divergences of two distributions, by name. */
export function exportedDivergences(): Record<string, DivergenceClass> {
  const divergences = strategies.filter(
    ([, value]) =>
      typeof value === 'function' &&
      value.prototype instanceof library.DivergenceDistillationStrategyBase,
  );
  return Object.fromEntries(divergences) as unknown as Record<string, DivergenceClass>;
}

const SUFFIX = 'DistillationStrategy';

/** Returns the strategy of a file of golden values. */
export function strategyOf(fixture: string): string {
  return `${fixture[0]!.toUpperCase()}${fixture.slice(1)}${SUFFIX}`;
}

/** Returns the file name of a strategy, which its source, its tests and its golden values share. */
export function fixtureOf(strategy: string): string {
  return `${strategy[0]!.toLowerCase()}${strategy.slice(1, -SUFFIX.length)}`;
}
