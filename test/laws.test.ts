import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as library from '../src/index.js';
import { strategyLaws } from '../src/testing/index.js';
import { describeKernels } from './describeKernels.js';
import { subjects } from './subjects.js';

/** Whose loss may be computed by one kernel or another; no other strategy would see a difference. */
const WITH_KERNELS = ['ResponseDistillationStrategy', 'HybridDistillationStrategy'];

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
  const { DistillationStrategyBase } = library;
  const exported = Object.entries(library).filter(
    ([, value]) =>
      typeof value === 'function' && value.prototype instanceof DistillationStrategyBase,
  );
  expect(exported.map(([name]) => name).sort()).toEqual(Object.keys(subjects).sort());
});
