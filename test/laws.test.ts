import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
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

test('every exported strategy is put through the laws', () => {
  expect(Object.keys(subjects).sort()).toEqual(exportedStrategies());
});
