import { expect, expectTypeOf, test } from 'vitest';
import {
  AttentionDistillationStrategy,
  FeatureDistillationStrategy,
  float64,
  HybridDistillationStrategy,
  type IDistillationStrategy,
  LinearProjection,
  Matrix,
  ResponseDistillationStrategy,
} from '../src/index.js';

test('the hybrid of the mission needs no cast and no type argument for float32', () => {
  const hybrid = new HybridDistillationStrategy([
    { strategy: new ResponseDistillationStrategy({ temperature: 3, alpha: 0.3 }), weight: 0.4 },
    { strategy: new AttentionDistillationStrategy(), weight: 0.3, layer: 'attention' },
    {
      strategy: new FeatureDistillationStrategy({ projection: new LinearProjection(24, 48) }),
      weight: 0.3,
      layer: 'hidden',
    },
  ]);
  expectTypeOf(hybrid).toEqualTypeOf<HybridDistillationStrategy<Float32Array>>();
  expect(hybrid.getStrategies()).toHaveLength(3);
});

test('and one type argument for float64', () => {
  const hybrid = new HybridDistillationStrategy<Float64Array>([
    { strategy: new ResponseDistillationStrategy(), weight: 0.4 },
    { strategy: new AttentionDistillationStrategy(), weight: 0.3, layer: 'attention' },
    {
      strategy: new FeatureDistillationStrategy({
        projection: new LinearProjection(24, 48, { numeric: float64 }),
      }),
      weight: 0.3,
      layer: 'hidden',
    },
  ]);
  expectTypeOf(hybrid.computeLoss).parameter(0).toEqualTypeOf<Matrix<Float64Array>>();
  expect(hybrid.getStrategies()).toHaveLength(3);
});

test('matrices know their array', () => {
  expectTypeOf(Matrix.zeros(1, 1)).toEqualTypeOf<Matrix<Float32Array>>();
  expectTypeOf(Matrix.zeros(1, 1, float64)).toEqualTypeOf<Matrix<Float64Array>>();
  expectTypeOf(Matrix.fromRows([[1]]).as(float64)).toEqualTypeOf<Matrix<Float64Array>>();
  const wrapped = new Matrix(new Float64Array(1), 1, 1);
  expectTypeOf(wrapped.row(0)).toMatchTypeOf<Float64Array>();
  const tensor = Matrix.fromTensor({ data: new Float32Array(1), dims: [1, 1] });
  expectTypeOf(tensor.row(0)).toMatchTypeOf<Float32Array>();
  expect(tensor.rows).toBe(1);
});

test('strategies are what the interface says', () => {
  const strategy: IDistillationStrategy = new ResponseDistillationStrategy();
  expectTypeOf(strategy.computeGradient).returns.toEqualTypeOf<Matrix<Float32Array>>();
  // @ts-expect-error: the arrays of student and teacher are of one type
  const call = () => strategy.computeLoss(Matrix.zeros(1, 2), Matrix.zeros(1, 2, float64));
  expect(call).toThrow(/teacher must be float32, got float64/);
});
