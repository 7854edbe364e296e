import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DistillationStrategyBase, float64 } from '../../src/index.js';
import { type LawOptions, type StrategySubject, strategyLaws } from '../../src/testing/index.js';

/** Registers the laws that the library proves of every strategy. */
export function proveLaws(subject: StrategySubject, options: LawOptions): void {
  for (const { name, check } of strategyLaws(fc, subject, options)) {
    test(name, () => {
      expect(check).not.toThrow();
    });
  }
  const strategy = subject.create(float64);
  if (!(strategy instanceof DistillationStrategyBase)) return; // a bare interface does not say
  test('isSumOverRows is true exactly where chunks add up', () => {
    expect(strategy.isSumOverRows).toBe(subject.sumOverRows ?? true);
  });
}
