import { describe, expect, test } from 'vitest';
import {
  ContrastiveMemory,
  ContrastiveRepresentationDistillationStrategy,
  FeatureDistillationStrategy,
  float64,
  HybridDistillationStrategy,
  type IDistillationStrategy,
  LinearProjection,
  Matrix,
  type WeightedStrategy,
} from '../../../src/index.js';
import { refusal } from '../../support/refusal.js';

// Objects that strategies of a hybrid share: parameters and memories.

type Doubles = Float64Array;

const student = Matrix.fromRows([[1, -2, 0.5]], float64);
const teacher = Matrix.fromRows([[0.5, 1]], float64);

describe('a projection that a strategy of the bare interface shares with another entry', () => {
  /** The gradients of the projection after one call of a hybrid, and the numerical ones. */
  function gradientsOf(order: 'bare first' | 'bare last', accumulate: boolean): number[] {
    const projection = new LinearProjection(3, 2, { numeric: float64 });
    const inner = new FeatureDistillationStrategy<Doubles>({ projection });
    const bare: IDistillationStrategy<Doubles> = {
      temperature: 1,
      alpha: 0,
      computeLoss: (...call) => inner.computeLossAndGradient(...call).loss,
      computeGradient: (...call) => inner.computeGradient(...call),
    };
    const entries: WeightedStrategy<Doubles>[] = [
      { strategy: bare, weight: 0.25 },
      { strategy: new FeatureDistillationStrategy<Doubles>({ projection }), weight: 0.75 },
    ];
    if (order === 'bare last') entries.reverse();
    const hybrid = new HybridDistillationStrategy(entries);
    const [weight] = projection.parameters();
    weight!.gradient.data.fill(7);
    hybrid.computeLayerwise({ output: student }, { output: teacher }, undefined, { accumulate });
    return [...weight!.gradient.data];
  }

  // Both entries have the loss of the projection alone, and so has the hybrid, since the weights
  // sum to 1.
  const projection = new LinearProjection(3, 2, { numeric: float64 });
  const alone = new FeatureDistillationStrategy<Doubles>({ projection });
  alone.computeGradient(student, teacher);
  const expected = [...projection.parameters()[0]!.gradient.data];

  test.each(['bare first', 'bare last'] as const)('has the gradient of the loss: %s', (order) => {
    gradientsOf(order, false).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 14);
    });
    gradientsOf(order, true).forEach((value, i) => {
      expect(value).toBeCloseTo(7 + expected[i]!, 13);
    });
  });

  test('has its earlier gradient if the call fails after the first entry', () => {
    const shared = new LinearProjection(3, 2, { numeric: float64 });
    const inner = new FeatureDistillationStrategy<Doubles>({ projection: shared });
    const fails: IDistillationStrategy<Doubles> = {
      temperature: 1,
      alpha: 0,
      computeLoss: () => 1,
      computeGradient: (...call) => {
        inner.computeGradient(...call);
        throw new Error('no gradient today');
      },
    };
    const hybrid = new HybridDistillationStrategy([
      { strategy: inner, weight: 0.5 },
      { strategy: fails, weight: 0.5 },
    ]);
    const { gradient } = shared.parameters()[0]!;
    gradient.data.fill(7);
    const layers = [{ output: student }, { output: teacher }] as const;
    expect(() => hybrid.computeLayerwise(...layers)).toThrow('no gradient today');
    expect(gradient.data.every((value) => value === 7)).toBe(true);
    inner.computeGradient(student, teacher);
    gradient.data.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 14);
    });
  });
});

describe('the buffers of a contrastive memory', () => {
  const memory = new ContrastiveMemory(2, 3, { negatives: 1, numeric: float64 });
  memory.select([0, 1]);
  const strategy = new ContrastiveRepresentationDistillationStrategy({ memory });
  const features = Matrix.fromRows(
    [
      [1, 2, 3],
      [3, -1, 2],
    ],
    float64,
  );
  strategy.calibrate(features, features);

  test.each(['student', 'teacher'] as const)('take no gradient: %s', (side) => {
    const before = memory[side].clone();
    const gradient = memory[side];
    const hybrid = new HybridDistillationStrategy<Doubles>([{ strategy, weight: 1 }]);
    const layers = [{ output: features }, { output: features }, undefined] as const;
    const calls = [
      () => strategy.computeGradient(features, features, undefined, { gradient }),
      () => hybrid.computeGradient(features, features, undefined, { gradient }),
      () => hybrid.computeLayerwise(...layers, { gradients: { output: gradient } }),
    ];
    for (const call of calls) {
      expect(refusal(call)).toMatchObject({
        code: 'OVERLAP',
        expected: `share no memory with the memory's ${side}`,
      });
    }
    expect(memory[side].data).toEqual(before.data);
  });
});

test('a weight is read once, so that the checked value is the used value', () => {
  let reads = 0;
  const entry = {
    strategy: new FeatureDistillationStrategy<Doubles>(),
    get weight() {
      return ++reads === 1 ? 1 : 1000;
    },
  };
  const hybrid = new HybridDistillationStrategy([entry]);
  expect(reads).toBe(1);
  expect(hybrid.getStrategies()[0]?.weight).toBe(1);
  let sides = 0;
  const layer = {
    student: 'a',
    get teacher() {
      return ++sides === 1 ? 'a' : wrongSide;
    },
  };
  const wrongSide = 'b';
  const bound = new HybridDistillationStrategy([
    { ...{ strategy: entry.strategy, layer }, weight: 1 },
  ]);
  expect(bound.getStrategies()[0]?.layer).toEqual({ student: 'a', teacher: 'a' });
});
