import { describe, expect, test } from 'vitest';
import {
  FeatureDistillationStrategy,
  float64,
  HybridDistillationStrategy,
  IGNORE_INDEX,
  LinearProjection,
  Matrix,
  MatrixArena,
  ResponseDistillationStrategy,
  SimilarityPreservingDistillationStrategy,
} from '../../../src/index.js';
import { refusal, wrong } from '../../support/refusal.js';

// Layer-by-layer calls with output buffers of the caller.

type Doubles = Float64Array;

const output = Matrix.fromRows(
  [
    [0.5, -1, 2],
    [1, 0, 0],
    [0.3, 0.1, -2],
  ],
  float64,
);
const hidden = Matrix.fromRows([[1], [3], [-2]], float64);
const students = { output, hidden };
const teachers = {
  output: Matrix.fromRows(
    [
      [1.5, 0, -1],
      [0, 2, 1],
      [1, 1, 0],
    ],
    float64,
  ),
  hidden: Matrix.fromRows([[0], [1], [1]], float64),
};
const labels = Int32Array.of(2, IGNORE_INDEX, 0);

// Rows, then the products of a whole batch, then rows again: each kind of gradient is written first
// once and second once.
const hybrid = new HybridDistillationStrategy<Doubles>(
  [
    { strategy: new ResponseDistillationStrategy(), weight: 0.5 },
    { strategy: new SimilarityPreservingDistillationStrategy(), weight: 0.25 },
    { strategy: new FeatureDistillationStrategy(), weight: 2 },
    { strategy: new FeatureDistillationStrategy(), weight: 3, layer: 'hidden' },
    { strategy: new SimilarityPreservingDistillationStrategy(), weight: 0.125, layer: 'hidden' },
  ],
  { weights: 'free' },
);

function filled(value: number): { output: Matrix<Doubles>; hidden: Matrix<Doubles> } {
  const gradients = { output: output.zerosLike(), hidden: hidden.zerosLike() };
  for (const { data } of Object.values(gradients)) data.fill(value);
  return gradients;
}

describe('The option gradients of computeLayerwise', () => {
  const fresh = hybrid.computeLayerwise(students, teachers, labels);

  test('is optional: without it, each layer has the sum of its entries', () => {
    const parts = hybrid.getStrategies().slice(0, 3);
    const sum = new Float64Array(9);
    for (const { strategy, weight } of parts) {
      const gradient = strategy.computeGradient(output, teachers.output, labels);
      gradient.data.forEach((value, i) => {
        sum[i]! += weight * value;
      });
    }
    fresh.gradients.output?.data.forEach((value, i) => {
      expect(value).toBeCloseTo(sum[i]!, 14);
    });
    expect(fresh.gradients.output?.toRows()[1]).toEqual([0, 0, 0]);
  });

  test('is overwritten, excluded rows included, and returned', () => {
    const gradients = filled(Number.NaN);
    const result = hybrid.computeLayerwise(students, teachers, labels, { gradients });
    expect(result.gradients.output).toBe(gradients.output);
    expect(result.gradients.hidden).toBe(gradients.hidden);
    expect(result).toEqual(fresh);
  });

  test('accumulates on request', () => {
    const gradients = filled(7);
    hybrid.computeLayerwise(students, teachers, labels, { gradients, accumulate: true });
    for (const layer of ['output', 'hidden'] as const) {
      gradients[layer].data.forEach((value, i) => {
        expect(value).toBeCloseTo(7 + fresh.gradients[layer]!.data[i]!, 14);
      });
    }
  });

  test('may lack some of the layers, which get new matrices', () => {
    const { hidden: gradient } = filled(7);
    const result = hybrid.computeLayerwise(students, teachers, labels, {
      gradients: { hidden: gradient },
    });
    expect(result.gradients.hidden).toBe(gradient);
    expect(result).toEqual(fresh);
  });

  test('may be in an arena with the layers', () => {
    const arena = new MatrixArena(1 << 16);
    const take = (matrix: Matrix) => {
      const copy = arena.zeros(matrix.rows, matrix.columns);
      copy.data.set(matrix.data);
      return copy;
    };
    const [s, t] = [Matrix.fromRows([[1, 2, -1]]), Matrix.fromRows([[0, 1, 3]])];
    const single = new HybridDistillationStrategy([
      { strategy: new ResponseDistillationStrategy(), weight: 0.5 },
      { strategy: new FeatureDistillationStrategy(), weight: 0.5 },
    ]);
    const gradients = { output: take(s) };
    const inArena = single.computeLayerwise({ output: take(s) }, { output: take(t) }, undefined, {
      gradients,
    });
    expect(inArena).toEqual(single.computeLayerwise({ output: s }, { output: t }));
  });

  test('and the parameters are unchanged after an accumulating call whose last entry fails', () => {
    const projection = new LinearProjection(1, 1, { numeric: float64 });
    const learning = new HybridDistillationStrategy<Doubles>([
      { strategy: new ResponseDistillationStrategy(), weight: 0.5 },
      { strategy: new FeatureDistillationStrategy({ projection }), weight: 0.5, layer: 'hidden' },
    ]);
    const { gradient } = projection.parameters()[0]!;
    gradient.data.fill(7);
    const gradients = filled(7);
    const bad = { ...teachers, hidden: Matrix.fromRows([[0], [1], [Number.NaN]], float64) };
    const call = () =>
      learning.computeLayerwise(students, bad, labels, { gradients, accumulate: true });
    expect(refusal(call)).toMatchObject({ code: 'NOT_FINITE', argument: 'teacher', row: 2 });
    for (const { data } of [gradients.output, gradients.hidden, gradient]) {
      expect(new Set(data)).toEqual(new Set([7]));
    }
  });

  test.each<[string, string, unknown, object]>([
    ['another shape', 'gradients.output', { output: hidden.clone() }, { code: 'SHAPE_MISMATCH' }],
    [
      'another format',
      'gradients.output',
      { output: Matrix.zeros(3, 3) },
      { code: 'DTYPE_MISMATCH' },
    ],
    ['no matrix', 'gradients.output', { output: [] }, { code: 'WRONG_TYPE' }],
    ['a layer that is not read', 'gradients', { hiden: hidden }, { code: 'UNKNOWN_OPTION' }],
    ['no object', 'gradients', 1, { code: 'WRONG_TYPE' }],
    [
      'a layer of the student',
      'gradients.output',
      { output },
      { code: 'OVERLAP', expected: 'share no memory with studentLayers.output' },
    ],
    [
      'a layer of the teacher',
      'gradients.hidden',
      { hidden: teachers.hidden },
      { code: 'OVERLAP', expected: 'share no memory with teacherLayers.hidden' },
    ],
  ])('refuses %s, before anything is written', (_, argument, gradients, fields) => {
    const call = () =>
      hybrid.computeLayerwise(students, teachers, labels, { gradients: wrong(gradients) });
    expect(refusal(call)).toMatchObject({ argument, ...fields });
  });

  test('refuses two layers in the same memory', () => {
    const data = new Float64Array(9);
    const gradients = {
      output: new Matrix(data, 3, 3),
      hidden: new Matrix(data.subarray(6), 3, 1),
    };
    const call = () => hybrid.computeLayerwise(students, teachers, labels, { gradients });
    expect(refusal(call)).toMatchObject({
      code: 'OVERLAP',
      argument: 'gradients.hidden',
      expected: 'share no memory with gradients.output',
    });
  });
});

test('refuses a sum that overflows although its parts do not, in any order of entries', () => {
  // Kernels that write without a check are bounded by 1/T + 1 times the weight of the entry.
  const entry = { strategy: new ResponseDistillationStrategy({ temperature: 1 }), weight: 2e38 };
  const whole = new HybridDistillationStrategy([entry, entry], { weights: 'free' });
  const [s, t] = [Matrix.fromRows([[40, 0]]), Matrix.fromRows([[0, 40]])];
  const layers = [{ output: s }, { output: t }] as const;
  expect(() =>
    new HybridDistillationStrategy([entry], { weights: 'free' }).computeLayerwise(...layers),
  ).not.toThrow();
  for (const call of [() => whole.computeLayerwise(...layers), () => whole.computeGradient(s, t)]) {
    expect(refusal(call)).toMatchObject({
      code: 'OVERFLOW',
      argument: 'gradient',
      row: 0,
      column: 0,
    });
  }
});
