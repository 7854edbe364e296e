import { expect, expectTypeOf, test } from 'vitest';
import {
  AttentionDistillationStrategy,
  computeThroughHead,
  FeatureDistillationStrategy,
  float64,
  HybridDistillationStrategy,
  type IDistillationStrategy,
  LinearProjection,
  LogitMSEDistillationStrategy,
  Matrix,
  MultiLevelDistillationStrategy,
  ResponseDistillationStrategy,
  SimilarityPreservingDistillationStrategy,
  SparseTargets,
} from '../src/index.js';

test('a hybrid needs no cast and no type argument for float32', () => {
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

test('a hybrid needs one type argument for float64', () => {
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

test('a matrix has the type of its array', () => {
  expectTypeOf(Matrix.zeros(1, 1)).toEqualTypeOf<Matrix<Float32Array>>();
  expectTypeOf(Matrix.zeros(1, 1, float64)).toEqualTypeOf<Matrix<Float64Array>>();
  expectTypeOf(Matrix.fromRows([[1]]).as(float64)).toEqualTypeOf<Matrix<Float64Array>>();
  const wrapped = new Matrix(new Float64Array(1), 1, 1);
  expectTypeOf(wrapped.row(0)).toMatchTypeOf<Float64Array>();
  const tensor = Matrix.fromTensor({ data: new Float32Array(1), dims: [1, 1] });
  expectTypeOf(tensor.row(0)).toMatchTypeOf<Float32Array>();
  expect(tensor.rows).toBe(1);
});

test('strategies implement the interface', () => {
  const strategy: IDistillationStrategy = new ResponseDistillationStrategy();
  expectTypeOf(strategy.computeGradient).returns.toEqualTypeOf<Matrix<Float32Array>>();
  // @ts-expect-error: the arrays of student and teacher have one type
  const call = () => strategy.computeLoss(Matrix.zeros(1, 2), Matrix.zeros(1, 2, float64));
  expect(call).toThrow(/teacher must be float32, got float64/);
});

test('computeThroughHead accepts only types that are sums over rows', () => {
  const head = {
    hidden: Matrix.fromRows([[1, 2]]),
    weight: Matrix.fromRows([
      [1, 0, 2],
      [3, 1, 0],
    ]),
  };
  const sparse = SparseTargets.topK(Matrix.fromRows([[1, 0, 3]]), 2, { temperature: 3 });
  const response = new ResponseDistillationStrategy();
  const { loss, gradients } = computeThroughHead(response, head, sparse);
  expectTypeOf(gradients.weight).toEqualTypeOf<Matrix<Float32Array>>();
  const hybrid = new HybridDistillationStrategy([{ strategy: response, weight: 1 }]);
  expect(computeThroughHead(hybrid, head, sparse).loss).toBe(loss);
  expect(computeThroughHead(new LogitMSEDistillationStrategy(), head, head).loss).toBe(0);
  const together = new SimilarityPreservingDistillationStrategy();
  // @ts-expect-error: the loss couples all rows
  expect(() => computeThroughHead(together, head, head)).toThrow(/must be a sum over rows/);
  // @ts-expect-error: the options decide whether it is a sum over rows
  expect(() => computeThroughHead(new MultiLevelDistillationStrategy(), head, head)).toThrow();
  // @ts-expect-error: it accepts no sparse teacher
  const ofSparse = () => computeThroughHead(new LogitMSEDistillationStrategy(), head, sparse);
  expect(ofSparse).toThrow(/teacher must be a Matrix, got an object of type SparseTargets/);
  const double = { hidden: head.hidden.as(float64), weight: head.weight.as(float64) };
  // @ts-expect-error: student and teacher have one type
  expect(() => computeThroughHead(response, head, double)).toThrow(
    /teacher\.hidden must be float32/,
  );
});
