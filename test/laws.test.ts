import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DistillationStrategyBase, float64 } from '../src/index.js';
import { strategyLaws } from '../src/testing/index.js';
import { subjects } from './subjects/index.js';
import { describeKernels } from './support/describeKernels.js';
import { exportedStrategies, WITH_KERNELS } from './support/exportedStrategies.js';

for (const [strategy, cells] of Object.entries(subjects)) {
  for (const [cell, subject] of Object.entries(cells)) {
    const tests = WITH_KERNELS.includes(strategy) ? describeKernels : describe;
    tests(`${strategy}, ${cell}`, () => {
      for (const { name, check } of strategyLaws(fc, subject)) {
        test(name, () => {
          expect(check).not.toThrow();
        });
      }
    });
  }
}

test('a strategy is a sum over rows where its chunks add up', () => {
  for (const cells of Object.values(subjects)) {
    for (const [cell, { create, sumOverRows = true }] of Object.entries(cells)) {
      const strategy = create(float64);
      if (!(strategy instanceof DistillationStrategyBase)) continue;
      expect([cell, strategy.isSumOverRows]).toEqual([cell, sumOverRows]);
    }
  }
});

test('every exported strategy is put through the laws', () => {
  expect(Object.keys(subjects).sort()).toEqual(exportedStrategies());
});
