import { describe, expect, test } from 'vitest';
import {
  balancedWeights,
  DecoupledDistillationStrategy,
  FeatureDistillationStrategy,
  float64,
  HybridDistillationStrategy,
  LinearProjection,
  ResponseDistillationStrategy,
} from '../../../src/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';

const student = matrix([1, 0, -1], [2, 0, 1]);
const teacher = matrix([9, 0, 4], [0, 3, 1]);
const labels = Int32Array.of(0, 1);

function hybridOf(weights: readonly number[]): HybridDistillationStrategy<Float64Array> {
  const strategies = [
    new ResponseDistillationStrategy<Float64Array>(),
    new FeatureDistillationStrategy<Float64Array>(),
    new DecoupledDistillationStrategy<Float64Array>(),
  ];
  const entries = strategies.map((strategy, i) => ({ strategy, weight: weights[i]! }));
  return new HybridDistillationStrategy<Float64Array>(entries, { weights: 'free', alpha: 0.4 });
}

describe('balancedWeights', () => {
  const hybrid = hybridOf([1, 2, 0.25]);
  const batch = { student, teacher, labels };

  test('by loss, the components have the requested shares of an unchanged loss', () => {
    const weights = balancedWeights(hybrid, batch, [40, 30, 30]);
    const before = hybrid.computeLoss(student, teacher, labels);
    const after = hybridOf(weights).computeLossAndGradient(student, teacher, labels);
    expect(after.loss).toBeCloseTo(before, 10);
    const shares = after.components!.map(({ weighted }) => weighted / after.loss);
    for (const [i, share] of [0.4, 0.3, 0.3].entries()) expect(shares[i]).toBeCloseTo(share, 12);
  });

  test('by gradient, the lengths of the gradients have the requested shares of an unchanged sum', () => {
    const lengthOf = (only: number, weights: readonly number[]) => {
      const alone = hybridOf(weights.map((weight, i) => (i === only ? weight : 0)));
      return Math.hypot(...alone.computeGradient(student, teacher, labels).data);
    };
    const weights = balancedWeights(hybrid, batch, [1, 1, 2], { by: 'gradient' });
    const lengths = [0, 1, 2].map((i) => lengthOf(i, weights));
    const before = [0, 1, 2].reduce((sum, i) => sum + lengthOf(i, [1, 2, 0.25]), 0);
    for (const [i, share] of [0.25, 0.25, 0.5].entries()) {
      expect(lengths[i]! / before).toBeCloseTo(share, 12);
    }
  });

  test('by layer, and does not change the gradients of parameters', () => {
    const projection = new LinearProjection<Float64Array>(2, 3, { numeric: float64 });
    const layered = new HybridDistillationStrategy<Float64Array>([
      { strategy: new ResponseDistillationStrategy(), weight: 0.5 },
      { strategy: new FeatureDistillationStrategy({ projection }), weight: 0.5, layer: 'hidden' },
    ]);
    const layers = {
      student: { output: student, hidden: matrix([1, 2], [0, 1]) },
      teacher: { output: teacher, hidden: teacher },
    };
    const [parameter] = layered.parameters();
    parameter!.gradient.data.fill(7);
    for (const by of ['loss', 'gradient'] as const) {
      const weights = balancedWeights(layered, layers, [3, 1], { by });
      expect(new Set(parameter!.gradient.data)).toEqual(new Set([7]));
      const entries = layered
        .getStrategies()
        .map((entry, i) => ({ ...entry, weight: weights[i]! }));
      const balanced = new HybridDistillationStrategy<Float64Array>(entries, { weights: 'free' });
      const { components, gradients } = balanced.computeLayerwise(layers.student, layers.teacher);
      parameter!.gradient.data.fill(7);
      const parts =
        by === 'loss'
          ? components.map(({ weighted }) => weighted)
          : ['output', 'hidden'].map((layer) => Math.hypot(...gradients[layer]!.data));
      expect(parts[0]! / parts[1]!).toBeCloseTo(3, 10);
    }
  });

  test('refuses components that cannot be balanced', () => {
    expect(refusal(() => balancedWeights(hybrid, batch, [1, 1]))).toMatchObject({
      code: 'SHAPE_MISMATCH',
      argument: 'shares',
    });
    expect(refusal(() => balancedWeights(hybrid, batch, [1, 0, 1]))).toMatchObject({
      code: 'OUT_OF_RANGE',
      argument: 'shares[1]',
    });
    const equal = { student, teacher: student, labels };
    expect(refusal(() => balancedWeights(hybrid, equal, [1, 1, 1]))).toMatchObject({
      code: 'OUT_OF_RANGE',
      argument: 'strategies[1] (FeatureDistillationStrategy)',
    });
    expect(
      refusal(() => balancedWeights(hybrid, batch, [1, 1, 1], wrong({ by: 'size' }))),
    ).toMatchObject({ argument: 'by' });
    const huge = [1e308, 1e308, 1];
    expect(refusal(() => balancedWeights(hybrid, batch, huge))).toMatchObject({
      code: 'OVERFLOW',
      argument: 'shares',
    });
    expect(refusal(() => balancedWeights(hybridOf([0, 0, 0]), batch, [1, 1, 1]))).toMatchObject({
      code: 'WEIGHT_SUM',
      argument: 'hybrid',
    });
    const strategy = new ResponseDistillationStrategy();
    expect(
      refusal(() => balancedWeights(wrong<typeof hybrid>(strategy), batch, [1])),
    ).toMatchObject({
      code: 'WRONG_TYPE',
      argument: 'hybrid',
    });
  });
});
