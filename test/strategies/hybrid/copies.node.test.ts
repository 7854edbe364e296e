// These tests run in Node only, since a browser cannot import a module a second time.

import { afterEach, expect, test, vi } from 'vitest';
import {
  FeatureDistillationStrategy,
  float64,
  HybridDistillationStrategy,
  loadState,
  Matrix,
  saveState,
} from '../../../src/index.js';
import { refusal } from '../../support/refusal.js';

type Doubles = Float64Array;

const student = Matrix.fromRows([[1, -2, 0.5]], float64);

afterEach(() => {
  vi.resetModules();
});

test('a hybrid of another copy of the library routes its entries within a hybrid of this copy', async () => {
  vi.resetModules();
  const other: typeof import('../../../src/index.js') = await import('../../../src/index.js');
  expect(other.HybridDistillationStrategy).not.toBe(HybridDistillationStrategy);
  const nestedOf = (library: typeof other) => {
    const inner = new library.HybridDistillationStrategy<Doubles>([
      { strategy: new library.FeatureDistillationStrategy(), weight: 0.5, layer: 'hidden' },
      { strategy: new library.FeatureDistillationStrategy({ metric: 'l1' }), weight: 0.5 },
    ]);
    return new HybridDistillationStrategy<Doubles>([
      { strategy: inner, weight: 0.5 },
      { strategy: new FeatureDistillationStrategy(), weight: 0.5, layer: 'hidden' },
    ]);
  };
  const layers = { output: student, hidden: Matrix.fromRows([[1], [2]], float64) };
  const teachers = {
    output: Matrix.fromRows([[0, 0, 0]], float64),
    hidden: Matrix.zeros(2, 1, float64),
  };
  const result = nestedOf(other).computeLayerwise(layers, teachers);
  // hidden: mean of squares 2.5, weight 0.25 + 0.5; output: mean of sizes 3.5 / 3, weight 0.25
  expect(result.loss).toBeCloseTo(0.75 * 2.5 + (0.25 * 3.5) / 3, 14);
  expect(result.gradients.hidden?.toRows()).toEqual([[0.75], [1.5]]);
  const { computeLoss } = nestedOf(other);
  expect(refusal(() => computeLoss.call(nestedOf(other), student, student))).toMatchObject({
    code: 'LAYER',
    operation: 'HybridDistillationStrategy.computeLoss',
  });
});

test('the state of a hybrid of another copy is saved and loaded', async () => {
  vi.resetModules();
  const other: typeof import('../../../src/index.js') = await import('../../../src/index.js');
  const create = (seed: number) => {
    const strategy = new other.ContrastiveRepresentationDistillationStrategy({
      memory: new other.ContrastiveMemory(3, 2, { seed }),
      projection: new other.LinearProjection(1, 2, { seed }),
    });
    return new other.HybridDistillationStrategy([{ strategy, weight: 1 }]);
  };
  const state = saveState(create(1));
  const hybrid = create(2);
  expect(saveState(hybrid)).not.toEqual(state);
  loadState(hybrid, state);
  expect(saveState(hybrid)).toEqual(state);
  expect([state.parameters.length, state.memories.length]).toEqual([1, 1]);
});
