import { describe, expect, test } from 'vitest';
import {
  ContrastiveDistillationStrategy,
  type FloatArray,
  float32,
  float64,
  LinearProjection,
  Matrix,
  type NumericTrait,
} from '../../../src/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { roundedProjection } from '../_cases.js';
import { CONTRASTIVE, INVARIANCES } from './_cases.js';

proveStrategy(ContrastiveDistillationStrategy, {
  'by default': {
    ...CONTRASTIVE,
    create: () => new ContrastiveDistillationStrategy(),
    invariances: INVARIANCES,
  },
  'symmetric, at 0.5': {
    ...CONTRASTIVE,
    create: () =>
      new ContrastiveDistillationStrategy({ symmetric: true, contrastTemperature: 0.5 }),
    invariances: INVARIANCES,
  },
  projected: {
    ...CONTRASTIVE,
    create: <T extends FloatArray>(numeric: NumericTrait<T>) =>
      new ContrastiveDistillationStrategy<T>({
        projection: roundedProjection(3, 4, { bias: true, numeric }),
      }),
    columns: { student: 3, teacher: 4 },
    invariances: ['row-order', 'teacher-scale'],
    float32Tolerance: 1e-5, // the terms of a projection may nearly cancel
  },
});

type Options = ConstructorParameters<typeof ContrastiveDistillationStrategy<Float64Array>>[0];

function contrastive(options: Options): ContrastiveDistillationStrategy<Float64Array> {
  return new ContrastiveDistillationStrategy(options);
}

const axes = matrix([1, 0], [0, 1]);

describe('ContrastiveDistillationStrategy by hand', () => {
  test('is the cross-entropy of each row with its own row among the rows of the teacher', () => {
    const strategy = contrastive({ contrastTemperature: 1 });
    const { loss, gradient } = strategy.computeLossAndGradient(axes, matrix([3, 0], [0, 5]));
    const p = 1 / (1 + Math.exp(-1));
    expect(loss).toBeCloseTo(-Math.log(p), 15);
    // d loss / d s₁ = ½ ((p − 1) t₁ + (1 − p) t₂), without the part along s₁
    expect(gradient.get(0, 0)).toBeCloseTo(0, 15);
    expect(gradient.get(0, 1)).toBeCloseTo((1 - p) / 2, 15);
  });

  test('with symmetric: true, is the mean of both directions', () => {
    const student = matrix([1, 0], [1, 0]);
    const teacher = matrix([1, 0], [0, 1]);
    const [own, other] = [1 + Math.exp(-1), 1 + Math.exp(1)].map(Math.log);
    const single = contrastive({ contrastTemperature: 1 }).computeLoss(student, teacher);
    expect(single).toBeCloseTo((own! + other!) / 2, 15);
    const strategy = contrastive({ contrastTemperature: 1, symmetric: true });
    expect(strategy.computeLoss(student, teacher)).toBeCloseTo((single + Math.log(2)) / 2, 15);
    expect(strategy.computeLoss(teacher, student)).toBe(strategy.computeLoss(student, teacher));
  });

  test('has a temperature of 0.07 and one direction by default', () => {
    const { contrastTemperature, symmetric } = new ContrastiveDistillationStrategy();
    expect({ contrastTemperature, symmetric }).toEqual({
      contrastTemperature: 0.07,
      symmetric: false,
    });
    const own = Math.log1p(Math.exp(-1 / 0.07));
    expect(contrastive({}).computeLoss(axes, axes)).toBeCloseTo(own, 15);
  });

  test('keeps the precision of a small loss at a low temperature', () => {
    const { loss, gradient } = contrastive({ contrastTemperature: 0.01 }).computeLossAndGradient(
      axes,
      axes,
    );
    expect(loss / Math.exp(-100)).toBeCloseTo(1, 12);
    expect(gradient.get(0, 1) / (50 * Math.exp(-100))).toBeCloseTo(1, 12);
  });

  test('does not overflow where similarities over the temperature would', () => {
    const strategy = contrastive({ contrastTemperature: 1e-4 });
    const loss = strategy.computeLoss(axes, matrix([0, 1], [1, 0]));
    expect(loss).toBe(1e4);
  });

  test('does not use the temperature of logits', () => {
    const strategy = contrastive({ temperature: 4 });
    expect(strategy.computeLoss(axes, axes)).toBe(contrastive({}).computeLoss(axes, axes));
  });

  test('is 0 for a single row', () => {
    for (const symmetric of [false, true]) {
      const strategy = contrastive({ symmetric });
      const call = strategy.computeLossAndGradient(matrix([1, 2]), matrix([-3, 1]));
      expect(call.loss).toBe(0);
      expect(call.gradient.toRows()).toEqual([[0, 0]]);
    }
  });

  test('gives a row of zeros the same similarity to all rows: log of the rows, gradient 0', () => {
    const zeros = matrix([0, 0], [0, 0], [0, 0]);
    const teacher = matrix([1, 0], [0, 1], [0, 0]);
    for (const symmetric of [false, true]) {
      const { loss, gradient } = contrastive({ symmetric }).computeLossAndGradient(zeros, teacher);
      expect(loss).toBeCloseTo(Math.log(3), 15);
      expect(gradient.data.every((value) => value === 0)).toBe(true);
    }
  });

  test('contrasts with the kept rows only', () => {
    const strategy = contrastive({});
    const student = matrix([1, 2], [Number.NaN, 0], [0, 1]);
    const teacher = matrix([1, 0], [Number.NaN, 0], [1, 1]);
    const masked = strategy.computeLoss(student, teacher, undefined, { mask: [1, 0, 1] });
    const kept = strategy.computeLoss(matrix([1, 2], [0, 1]), matrix([1, 0], [1, 1]));
    expect(masked).toBe(kept);
  });

  test('has the exact loss of the float32 elements in float32', () => {
    const student = Matrix.fromRows([
      [1, 2],
      [0.5, -1],
    ]);
    const teacher = Matrix.fromRows([
      [2, 1],
      [-0.25, 1],
    ]);
    expect(student.numeric).toBe(float32);
    const loss = new ContrastiveDistillationStrategy().computeLoss(student, teacher);
    expect(loss).toBe(contrastive({}).computeLoss(student.as(float64), teacher.as(float64)));
  });
});

describe('ContrastiveDistillationStrategy with a projection', () => {
  test('is the loss of the projected rows', () => {
    const projection = new LinearProjection(1, 2, { numeric: float64 });
    projection.parameters()[0]!.value.data.set([1, -1]);
    const strategy = contrastive({ projection });
    const teacher = matrix([1, -1], [0, 1]);
    const loss = strategy.computeLoss(matrix([2], [3]), teacher);
    expect(loss).toBe(contrastive({}).computeLoss(matrix([2, -2], [3, -3]), teacher));
  });

  test('computeLoss does not change the gradients of its weights', () => {
    const projection = new LinearProjection(1, 2, { numeric: float64 });
    const strategy = contrastive({ projection });
    const call = [matrix([2], [-3]), matrix([1, -1], [0, 1])] as const;
    strategy.computeGradient(...call);
    const before = projection.parameters().map(({ gradient }) => [...gradient.data]);
    strategy.computeLoss(call[0], matrix([5, 1], [2, 3]));
    expect(projection.parameters().map(({ gradient }) => [...gradient.data])).toEqual(before);
  });

  test.each<[string, Options, number[][], RegExp]>([
    ['teacher', {}, [[1, 2, 3]], /pass projection: new LinearProjection\(2, 3\)/],
    [
      'teacher',
      { projection: new LinearProjection(2, 3, { numeric: float64 }) },
      [[1, 2]],
      /the projection's output/,
    ],
    [
      'student',
      { projection: new LinearProjection(4, 1, { numeric: float64 }) },
      [[1]],
      /the projection's input/,
    ],
  ])('refuses a %s of another width', (argument, options, teacher, message) => {
    const refused = refusal(() =>
      contrastive(options).computeLoss(matrix([1, 2]), matrix(...teacher)),
    );
    expect(refused).toMatchObject({ code: 'SHAPE_MISMATCH', argument });
    expect(refused.message).toMatch(message);
  });

  test('refuses maps of several positions', () => {
    const projection = new LinearProjection(2, 3, { numeric: float64 });
    const call = () =>
      contrastive({ projection }).computeLoss(matrix([1, 2, 3, 4]), matrix([1, 2, 3, 4, 5, 6]));
    expect(refusal(call)).toMatchObject({ code: 'SHAPE_MISMATCH', argument: 'student' });
  });

  test('names a weight that is not finite', () => {
    const projection = new LinearProjection(2, 2, { numeric: float64 });
    projection.parameters()[0]!.value.set(1, 0, Number.NaN);
    const call = () => contrastive({ projection }).computeLoss(axes, axes);
    expect(refusal(call)).toMatchObject({
      code: 'NOT_FINITE',
      argument: "the projection's weight",
      row: 1,
      column: 0,
    });
  });
});

test.each<[string, unknown, string]>([
  ['contrastTemperature', { contrastTemperature: 0 }, 'OUT_OF_RANGE'],
  ['contrastTemperature', { contrastTemperature: '1' }, 'WRONG_TYPE'],
  ['symmetric', { symmetric: 1 }, 'WRONG_TYPE'],
  ['projection', { projection: {} }, 'WRONG_TYPE'],
  ['options', { tau: 1 }, 'UNKNOWN_OPTION'],
])('refuses bad %s', (argument, options, code) => {
  expect(refusal(() => contrastive(wrong(options)))).toMatchObject({
    operation: 'ContrastiveDistillationStrategy',
    argument,
    code,
  });
});
