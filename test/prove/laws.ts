import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DistillationStrategyBase, float64 } from '../../src/index.js';
import { type LawOptions, type StrategySubject, strategyLaws } from '../../src/testing/index.js';

/** Registers the laws, which every strategy must satisfy. */
export function proveLaws(subject: StrategySubject, options: LawOptions): void {
  for (const { name, check } of strategyLaws(fc, subject, options)) {
    test(name, () => {
      expect(check).not.toThrow();
    });
  }
  const strategy = subject.create(float64);
  // a bare interface does not declare it
  if (!(strategy instanceof DistillationStrategyBase)) return;
  test('isSumOverRows is true if and only if chunks add up', () => {
    expect(strategy.isSumOverRows).toBe(subject.sumOverRows ?? true);
  });
}
