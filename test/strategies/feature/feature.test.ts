import { describe, expect, test } from 'vitest';
import {
  FeatureDistillationStrategy,
  type FloatArray,
  float32,
  float64,
  LinearProjection,
  Matrix,
  type NumericTrait,
} from '../../../src/index.js';
import { checkGradient, type StrategySubject } from '../../../src/testing/index.js';
import { proveStrategy, proveVanishing } from '../../prove/index.js';
import { describeKernels } from '../../support/describeKernels.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { isNonZero, PROJECTED_TOLERANCE, roundedProjection } from '../_cases.js';

function lawCase(
  metric: FeatureDistillationStrategy['metric'],
  projection?: { bias: boolean },
  delta?: number,
): StrategySubject {
  const create = <T extends FloatArray>(numeric: NumericTrait<T>) =>
    new FeatureDistillationStrategy<T>({
      metric,
      ...(delta !== undefined && { delta }),
      ...(projection && { projection: roundedProjection(3, 4, { ...projection, numeric }) }),
    });
  return {
    create,
    values: 'features',
    ...(projection && { columns: { student: 3, teacher: 4 } }),
    isRegular: metric === 'cosine' ? isNonZero : () => true,
    invariances: projection
      ? ['row-order']
      : [
          'row-order',
          'column-order',
          ...(metric === 'cosine' ? (['student-scale', 'teacher-scale'] as const) : []),
        ],
    ...(projection && { float32Tolerance: PROJECTED_TOLERANCE }),
    ...(metric === 'cosine' && { rounding: 1e-9 }),
  };
}

proveStrategy(FeatureDistillationStrategy, {
  mse: lawCase('mse'),
  l2: lawCase('l2'),
  l1: lawCase('l1'),
  huber: lawCase('huber'),
  cosine: lawCase('cosine'),
  'huber, delta 0.3': lawCase('huber', undefined, 0.3),
  'mse, projected': lawCase('mse', { bias: false }),
  'l2, projected': lawCase('l2', { bias: true }),
  'l1, projected': lawCase('l1', { bias: true }),
  'huber, projected with a bias': lawCase('huber', { bias: true }),
  'cosine, projected': lawCase('cosine', { bias: true }),
  'mse of feature maps, projected': {
    ...lawCase('mse', { bias: true }),
    columns: { student: 2 * 3, teacher: 2 * 4 },
  },
});

// An unusable element is refused also where a tiny weight could hide it.
proveVanishing(FeatureDistillationStrategy, {
  'a vanishing delta': lawCase('huber', undefined, Number.MIN_VALUE),
});

function feature(
  options: ConstructorParameters<typeof FeatureDistillationStrategy<Float64Array>>[0] = {},
): FeatureDistillationStrategy<Float64Array> {
  return new FeatureDistillationStrategy(options);
}

describe('FeatureDistillationStrategy by hand', () => {
  const student = matrix([1, 4], [0, 0]);
  const teacher = matrix([2, 1], [0, 0]);

  test.each([
    ['mse', (1 + 9) / 2 / 2, [-1 / 2, 3 / 2]],
    ['l2', Math.sqrt(10) / 2, [-0.5 / Math.sqrt(10), 1.5 / Math.sqrt(10)]],
    ['l1', (1 + 3) / 2 / 2, [-1 / 4, 1 / 4]],
    ['huber', (0.5 + 2.5) / 2 / 2, [-1 / 4, 1 / 4]],
  ] as const)(
    '%s is a mean over rows and, except for l2, over columns',
    (metric, expected, slopes) => {
      const { loss, gradient } = feature({ metric }).computeLossAndGradient(student, teacher);
      expect(loss).toBe(expected);
      expect(gradient.toRows()).toEqual([slopes, [0, 0]]);
    },
  );

  test('l2 has a gradient of length 1 at every distance, and of 0 at distance 0', () => {
    const strategy = feature({ metric: 'l2' });
    for (const distance of [1e-300, 1e-20, 1, 1e20, 1e300]) {
      const { loss, gradient } = strategy.computeLossAndGradient(
        matrix([3 * distance, -4 * distance]),
        matrix([0, 0]),
      );
      expect(loss / distance).toBeCloseTo(5, 14);
      expect(gradient.get(0, 0)).toBeCloseTo(0.6, 15);
      expect(gradient.get(0, 1)).toBeCloseTo(-0.8, 15);
    }
    const { loss, gradient } = strategy.computeLossAndGradient(teacher, teacher);
    expect([loss, ...gradient.data]).toEqual([0, 0, 0, 0, 0]);
    const call = () => strategy.computeLoss(matrix([1.7e308]), matrix([-1.7e308]));
    expect(refusal(call)).toMatchObject({ code: 'OVERFLOW' });
  });

  test('huber changes from squared to linear at delta', () => {
    const { loss, gradient } = feature({ metric: 'huber', delta: 2 }).computeLossAndGradient(
      matrix([1, 5]),
      matrix([0, 0]),
    );
    expect(loss).toBe((0.5 + 2 * (5 - 1)) / 2);
    expect(gradient.toRows()).toEqual([[0.5, 1]]);
  });

  test('cosine is 1 − cos; a zero row on either side is 1 with gradient 0', () => {
    const strategy = feature({ metric: 'cosine' });
    expect(strategy.computeLoss(matrix([1, 0]), matrix([3, 4]))).toBeCloseTo(1 - 0.6, 15);
    for (const [zero, other] of [
      [matrix([0, 0]), matrix([1, 2])],
      [matrix([1, 2]), matrix([0, 0])],
      [matrix([0, 0]), matrix([0, 0])],
    ] as const) {
      const { loss, gradient } = strategy.computeLossAndGradient(zero, other);
      expect(loss).toBe(1);
      expect(gradient.toRows()).toEqual([[0, 0]]);
    }
  });

  test('cosine of rows of any size is exact, although their squares overflow or underflow', () => {
    const strategy = feature({ metric: 'cosine' });
    expect(strategy.computeLoss(matrix([1e200, 0]), matrix([3e200, 4e200]))).toBeCloseTo(0.4, 15);
    expect(strategy.computeLoss(matrix([1e-20, 0]), matrix([3e-20, 4e-20]))).toBeCloseTo(0.4, 15);
    expect(strategy.computeLoss(matrix([1e-200, 0]), matrix([3, 4]))).toBeCloseTo(0.4, 15);
    const call = () => strategy.computeLoss(matrix([1.7e308, 1.7e308]), matrix([1, 1]));
    expect(refusal(call)).toMatchObject({ code: 'OVERFLOW' });
  });

  test.each([[[Number.NaN, 0]], [[0, Number.NaN]], [[0, Number.NaN, 0]]])(
    'a NaN among zeros is found: %j',
    (row) => {
      const other = matrix(row.map(() => 1));
      const strategy = feature({ metric: 'cosine' });
      for (const call of [
        () => strategy.computeGradient(matrix(row), other),
        () => strategy.computeGradient(other, matrix(row)),
      ]) {
        expect(refusal(call)).toMatchObject({ code: 'NOT_FINITE', row: 0 });
      }
    },
  );

  test('a gradient that overflows its dtype is an error', () => {
    const wide = (value: number) => Matrix.fromRows([[value]]);
    const strategy = new FeatureDistillationStrategy();
    const call = () => strategy.computeGradient(wide(3e38), wide(-3e38));
    expect(refusal(call)).toMatchObject({
      code: 'OVERFLOW',
      argument: 'gradient',
      row: 0,
      column: 0,
    });
    const buffer = wide(7);
    const options = { gradient: buffer, accumulate: true };
    expect(() => strategy.computeGradient(wide(3e38), wide(-3e38), undefined, options)).toThrow();
    expect(buffer.get(0, 0)).toBe(7);
    const full = wide(3e38);
    const onTop = () =>
      strategy.computeGradient(wide(1e38), wide(0), undefined, {
        gradient: full,
        accumulate: true,
      });
    expect(refusal(onTop)).toMatchObject({ code: 'OVERFLOW' });
    expect(full.get(0, 0)).toBe(Math.fround(3e38));
    const tiny = () =>
      strategy.computeGradient(wide(1), wide(1), undefined, { normalizer: 5e-324 });
    expect(refusal(tiny)).toMatchObject({ code: 'OVERFLOW', argument: 'gradient' });
  });

  test('a NaN beside a zero row is found', () => {
    const call = () =>
      feature({ metric: 'cosine' }).computeLoss(matrix([Number.NaN, 1]), matrix([0, 0]));
    expect(refusal(call)).toMatchObject({
      code: 'NOT_FINITE',
      argument: 'student',
      row: 0,
      column: 0,
    });
  });

  test('−Infinity is refused as a feature', () => {
    const call = () => feature().computeLoss(matrix([0, -Infinity]), matrix([0, -Infinity]));
    expect(refusal(call)).toMatchObject({ code: 'NOT_FINITE', argument: 'student', column: 1 });
  });

  test('other widths are refused, with a hint that names the projection', () => {
    const call = () => feature().computeLoss(matrix([1, 2]), matrix([1, 2, 3]));
    expect(refusal(call)).toMatchObject({
      code: 'SHAPE_MISMATCH',
      message:
        "FeatureDistillationStrategy.computeLoss: teacher has shape [1, 3], expected [1, 2] (the student's shape); or pass projection: new LinearProjection(2, 3)",
    });
  });

  test.each<[string, () => unknown, string]>([
    ['metric', () => feature({ metric: wrong('l3') }), 'OUT_OF_RANGE'],
    ['metric', () => feature({ metric: wrong(2) }), 'WRONG_TYPE'],
    ['delta', () => feature({ metric: 'huber', delta: 0 }), 'OUT_OF_RANGE'],
    ['delta', () => feature({ metric: 'mse', delta: 2 }), 'MISPLACED_OPTION'],
    ['options', () => feature(wrong({ norm: 'l3' })), 'UNKNOWN_OPTION'],
    ['projection', () => feature({ projection: wrong({}) }), 'WRONG_TYPE'],
  ])('refuses bad %s', (argument, call, code) => {
    expect(refusal(call)).toMatchObject({
      operation: 'FeatureDistillationStrategy',
      argument,
      code,
    });
  });
});

describe('LinearProjection', () => {
  function projected(bias: boolean): {
    projection: LinearProjection<Float64Array>;
    strategy: FeatureDistillationStrategy<Float64Array>;
  } {
    const projection = new LinearProjection(2, 3, { bias, numeric: float64 });
    return { projection, strategy: feature({ projection }) };
  }

  test('maps x · weight + bias to the teacher, as computed by hand', () => {
    const { projection, strategy } = projected(true);
    const [weight, bias] = projection.parameters();
    weight?.value.data.set([1, 0, 2, 0, 1, -1]);
    bias?.value.data.set([0, 0, 5]);
    // [1, 2] · weight + bias = [1, 2, 2 − 2 + 5]; the difference to the teacher is [0, 1, 2]
    const { loss, gradient } = strategy.computeLossAndGradient(matrix([1, 2]), matrix([1, 1, 3]));
    expect(loss).toBeCloseTo(5 / 3, 15);
    const [, b, c] = [0, 2 / 3, 4 / 3];
    expect(gradient.get(0, 0)).toBeCloseTo(2 * c, 15);
    expect(gradient.get(0, 1)).toBeCloseTo(b - c, 15);
    expect(weight?.gradient.toRows()).toEqual([
      [0, b, c],
      [0, 2 * b, 2 * c],
    ]);
    expect(bias?.gradient.toRows()).toEqual([[0, b, c]]);
  });

  test('is a 1×1 convolution of feature maps, as computed by hand', () => {
    const { projection, strategy } = projected(true);
    const [weight, bias] = projection.parameters();
    weight?.value.data.set([1, 0, 2, 0, 1, -1]);
    bias?.value.data.set([0, 0, 5]);
    // 2 channels × 2 positions: [1, 2] at the first as above, [3, 0] at the second, which becomes
    // [3, 0, 11]
    const { loss, gradient } = strategy.computeLossAndGradient(
      matrix([1, 3, 2, 0]),
      matrix([1, 3, 1, 0, 3, 10]),
    );
    expect(loss).toBeCloseTo((5 + 1) / 6, 15);
    const [b, c, d] = [1 / 3, 2 / 3, 1 / 3];
    [2 * c, 2 * d, b - c, -d].forEach((slope, column) => {
      expect(gradient.get(0, column)).toBeCloseTo(slope, 15);
    });
    expect(weight?.gradient.toRows()).toEqual([
      [0, b, c + 3 * d],
      [0, 2 * b, 2 * c],
    ]);
    expect(bias?.gradient.toRows()).toEqual([[0, b, c + d]]);
  });

  test('has exact gradients for every metric', () => {
    for (const metric of ['mse', 'l2', 'l1', 'huber', 'cosine'] as const) {
      const projection = new LinearProjection(2, 3, { bias: true, seed: 3, numeric: float64 });
      const report = checkGradient(
        feature({ metric, projection }),
        matrix([1, -0.5], [0.3, 2]),
        matrix([1, 0, -1], [0.2, 0.7, 3]),
      );
      expect(report).toMatchObject({ passed: true, coordinates: 4 + 6 + 3 });
    }
  });

  test('overwrites its gradients at each call, unless the call accumulates', () => {
    const { projection, strategy } = projected(false);
    const call = [matrix([1, 2]), matrix([1, 1, 3])] as const;
    const [weight] = projection.parameters();
    strategy.computeGradient(...call);
    const once = weight!.gradient.clone();
    strategy.computeLossAndGradient(...call);
    expect(weight!.gradient).toEqual(once);
    strategy.computeGradient(...call, undefined, { accumulate: true });
    expect(weight!.gradient.data).toEqual(once.data.map((value) => 2 * value));
    strategy.computeLoss(...call);
    expect(weight!.gradient.data).toEqual(once.data.map((value) => 2 * value));
  });

  test('has the same weights for the same seed, uniform in ±1/√inputs, and others for another seed', () => {
    const weights = (seed?: number) =>
      new LinearProjection(100, 50, seed === undefined ? {} : { seed }).parameters()[0]!.value.data;
    expect(weights()).toEqual(weights(0));
    expect(weights(1)).not.toEqual(weights(0));
    const values = weights(5);
    expect(values.every((value) => Math.abs(value) <= 0.1)).toBe(true);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.003); // 5000 draws: 3.7 standard errors
    expect(variance).toBeCloseTo(0.01 / 3, 3);
    expect(Array.from(weights(0).slice(0, 2))).toMatchInlineSnapshot(`
      [
        -0.021574972197413445,
        0.07011863589286804,
      ]
    `);
  });

  test('learns: gradient descent on the projection alone reaches the teacher', () => {
    const { strategy } = projected(true);
    const student = matrix([1, 0], [0, 1], [1, 1]);
    const teacher = matrix([1, 2, 3], [4, 5, 6], [5, 7, 9]);
    for (let step = 0; step < 2000; step++) {
      strategy.computeGradient(student, teacher);
      for (const { value, gradient } of strategy.parameters()) {
        value.data.forEach((x, i) => {
          value.data[i] = x - 0.5 * gradient.data[i]!;
        });
      }
    }
    expect(strategy.computeLoss(student, teacher)).toBeLessThan(1e-6);
  });

  test('requires matching widths and dtype', () => {
    const { strategy } = projected(false);
    expect(refusal(() => strategy.computeLoss(matrix([1, 2, 3]), matrix([1, 2, 3])))).toMatchObject(
      {
        code: 'SHAPE_MISMATCH',
        argument: 'student',
        expected: "[1, 2] (the projection's input)",
      },
    );
    expect(refusal(() => strategy.computeLoss(matrix([1, 2]), matrix([1, 2])))).toMatchObject({
      code: 'SHAPE_MISMATCH',
      argument: 'teacher',
      expected: "[1, 3] (the projection's output)",
    });
    expect(
      refusal(() => strategy.computeLoss(matrix([1, 2, 3, 4]), matrix([1, 2, 3]))),
    ).toMatchObject({
      code: 'SHAPE_MISMATCH',
      argument: 'teacher',
      expected: "[1, 6] (the projection's output × 2 positions)",
    });
    const single = feature({ projection: wrong(new LinearProjection(2, 3, { numeric: float32 })) });
    expect(refusal(() => single.computeLoss(matrix([1, 2]), matrix([1, 2, 3])))).toMatchObject({
      code: 'DTYPE_MISMATCH',
      argument: 'projection',
      message: expect.stringContaining('got float32; give it { numeric: float64 }'),
    });
  });

  test('is named by the error if training has diverged', () => {
    const { projection, strategy } = projected(false);
    projection.parameters()[0]!.value.set(1, 2, Number.NaN);
    const call = () => strategy.computeLoss(matrix([1, 2]), matrix([1, 1, 3]));
    expect(refusal(call)).toMatchObject({
      code: 'NOT_FINITE',
      argument: "the projection's weight",
      row: 1,
      column: 2,
    });
  });

  test('refuses a gradient of a parameter that overflows its dtype, and writes none', () => {
    const projection = new LinearProjection(1, 1);
    const [weight] = projection.parameters();
    weight!.value.data.fill(1e-18);
    const strategy = new FeatureDistillationStrategy({ projection });
    const call = () =>
      strategy.computeGradient(Matrix.fromRows([[1e20]]), Matrix.fromRows([[1e20]]));
    expect(refusal(call)).toMatchObject({ code: 'OVERFLOW', argument: 'gradient of weight' });
    expect(weight!.gradient.data[0]).toBe(0);
  });

  test('keeps its gradients after an error', () => {
    const { projection, strategy } = projected(true);
    strategy.computeGradient(matrix([1, 2]), matrix([1, 1, 3]));
    const before = projection.parameters().map(({ gradient }) => gradient.clone());
    const bad = matrix([1, 2], [Number.NaN, 1]);
    expect(() => strategy.computeGradient(bad, matrix([1, 1, 3], [1, 1, 1]))).toThrow(
      /row 1, column 0 is NaN/,
    );
    expect(projection.parameters().map(({ gradient }) => gradient)).toEqual(before);
    strategy.computeGradient(matrix([1, 2]), matrix([1, 1, 3]));
    expect(projection.parameters().map(({ gradient }) => gradient)).toEqual(before);
  });

  test.each<[string, () => unknown, string]>([
    ['inputColumns', () => new LinearProjection(0, 1), 'OUT_OF_RANGE'],
    ['outputColumns', () => new LinearProjection(1, wrong('2')), 'WRONG_TYPE'],
    ['seed', () => new LinearProjection(1, 1, { seed: 0.5 }), 'OUT_OF_RANGE'],
    ['bias', () => new LinearProjection(1, 1, { bias: wrong(1) }), 'WRONG_TYPE'],
    ['name', () => new LinearProjection(1, 1, { name: wrong(1) }), 'WRONG_TYPE'],
    [
      'options',
      () => new LinearProjection(1, 1, wrong<object>({ biases: true })),
      'UNKNOWN_OPTION',
    ],
  ])('refuses bad %s', (argument, call, code) => {
    expect(refusal(call)).toMatchObject({ operation: 'LinearProjection', argument, code });
  });
});

describeKernels('The cosine of tiny rows in float32', () => {
  test('refuses a derivative that overflows the dtype, and returns the largest finite one', () => {
    const rowOf = (size: number, turn: number) =>
      Matrix.fromRows([Array.from({ length: 20 }, (_, j) => size * Math.cos(j * turn))]);
    const cosine = new FeatureDistillationStrategy({ metric: 'cosine' });
    const ask = () => cosine.computeGradient(rowOf(1e-42, 1), rowOf(1, 2));
    expect(refusal(ask)).toMatchObject({ code: 'OVERFLOW', argument: 'gradient' });
    const gradient = cosine.computeGradient(rowOf(1e-30, 1), rowOf(1, 2));
    const scaled = cosine.computeGradient(rowOf(1, 1), rowOf(1, 2));
    for (const [j, value] of gradient.data.entries()) {
      expect((value * 1e-30 - scaled.data[j]!) / 0.3).toBeCloseTo(0, 5);
    }
  });
});
