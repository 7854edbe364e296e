import { describe, expect, test } from 'vitest';
import {
  type FloatArray,
  float32,
  float64,
  IGNORE_INDEX,
  Matrix,
  ResponseDistillationStrategy,
  UNLABELED,
} from '../../../src/index.js';
import type { StrategySubject } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { describeKernels } from '../../support/describeKernels.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal } from '../../support/refusal.js';
import { COLDER, INVARIANCES, standardized } from './_cases.js';

function lawCase(
  options: ConstructorParameters<typeof ResponseDistillationStrategy>[0],
): StrategySubject {
  return {
    create: () => new ResponseDistillationStrategy(options),
    values: 'logits',
    ruledOut: true,
    invariances: INVARIANCES,
    // Terms may all but cancel, down to a rounding of theirs in float32; test/kernels has the sharp
    // bounds.
    float32Tolerance: 1e-4,
    temperatures: true,
  };
}

proveStrategy(ResponseDistillationStrategy, {
  'by default': lawCase({}),
  'T = 1, alpha = 1': lawCase({ temperature: 1, alpha: 1 }),
  'T = 0.5, alpha = 0': lawCase({ temperature: 0.5, alpha: 0 }),
  'T = 0.05': lawCase({ temperature: 0.05 }),
  'T = 100': lawCase({ temperature: 100 }),
  'T = 20, alpha = 0.9': lawCase({ temperature: 20, alpha: 0.9 }),
  'without T²': lawCase({ temperature: 4, temperatureSquared: false }),
  standardized: standardized(() => new ResponseDistillationStrategy({ standardizeLogits: true })),
  'a colder teacher': { ...lawCase(COLDER), reachesMinimum: false },
  'a warmer teacher, standardized': {
    ...standardized(
      () =>
        new ResponseDistillationStrategy({
          temperature: 1,
          teacherTemperature: 3,
          standardizeLogits: true,
        }),
    ),
    reachesMinimum: false,
  },
});

const ln2 = Math.LN2;
const ln3 = Math.log(3);

function response(
  options: ConstructorParameters<typeof ResponseDistillationStrategy>[0] = {},
): ResponseDistillationStrategy<Float64Array> {
  return new ResponseDistillationStrategy(options);
}

describe('ResponseDistillationStrategy by hand', () => {
  // softmax([0, 0]) = [1/2, 1/2]; softmax([ln 3, 0]) = [3/4, 1/4]
  const student = matrix([0, 0]);
  const teacher = matrix([ln3, 0]);
  const divergence = 0.75 * Math.log(1.5) + 0.25 * Math.log(0.5);

  test('is KL(teacher ‖ student) in this direction, with gradient q − p', () => {
    const { loss, gradient, count } = response({ temperature: 1 }).computeLossAndGradient(
      student,
      teacher,
    );
    expect(loss).toBeCloseTo(divergence, 15);
    expect(gradient.get(0, 0)).toBeCloseTo(-0.25, 15);
    expect(gradient.get(0, 1)).toBeCloseTo(0.25, 15);
    expect(count).toBe(1);
    const other = 0.5 * Math.log(0.5 / 0.75) + 0.5 * Math.log(0.5 / 0.25);
    expect(response({ temperature: 1 }).computeLoss(teacher, student)).toBeCloseTo(other, 15);
  });

  test('divides both sides by T and multiplies by T², with labels or without', () => {
    const double = matrix([2 * ln3, 0]);
    const soft = response({ temperature: 2, alpha: 0 });
    expect(soft.computeLoss(student, double)).toBeCloseTo(4 * divergence, 14);
    expect(soft.computeGradient(student, double).get(0, 1)).toBeCloseTo(2 * 0.25, 15);
    expect(soft.computeLoss(student, double, Int32Array.of(0))).toBeCloseTo(4 * divergence, 14);
    const plain = response({ temperature: 2, temperatureSquared: false });
    expect(plain.computeLoss(student, double)).toBeCloseTo(divergence, 14);
    expect(plain.computeGradient(student, double).get(0, 1)).toBeCloseTo(0.25 / 2, 15);
  });

  test('a label adds α · CE at T = 1 and leaves (1 − α) to the teacher', () => {
    const strategy = response({ temperature: 2, alpha: 0.25 });
    const double = matrix([2 * ln3, 0]);
    // The cross-entropy of [ln 3, 0] with class 1 is −ln(1/4), whatever the temperature.
    const loss = strategy.computeLoss(matrix([ln3, 0]), matrix([ln3, 0]), Int32Array.of(1));
    expect(loss).toBeCloseTo(0.25 * Math.log(4), 15);
    const labeled = strategy.computeLossAndGradient(student, double, Int32Array.of(1));
    expect(labeled.loss).toBeCloseTo(0.25 * ln2 + 0.75 * 4 * divergence, 14);
    expect(labeled.gradient.get(0, 0)).toBeCloseTo(0.25 * 0.5 + 0.75 * 2 * -0.25, 15);
  });

  test('a row without a label has the soft loss alone, in full', () => {
    const strategy = response({ temperature: 1, alpha: 0.9 });
    const twice = matrix([0, 0], [0, 0]);
    const both = matrix([ln3, 0], [ln3, 0]);
    const loss = strategy.computeLoss(twice, both, Int32Array.of(UNLABELED, UNLABELED));
    expect(loss).toBe(strategy.computeLoss(twice, both));
    const mixed = strategy.computeLoss(twice, both, Int32Array.of(0, UNLABELED));
    expect(mixed).toBeCloseTo((0.9 * ln2 + 0.1 * divergence + divergence) / 2, 15);
  });

  test('soft labels are distributions; a one-hot row is the index', () => {
    const strategy = response({ temperature: 1, alpha: 1 });
    const wide = matrix([ln3, 0]);
    const loss = strategy.computeLoss(wide, student, matrix([0.5, 0.5]));
    expect(loss).toBeCloseTo(-0.5 * Math.log(0.75) - 0.5 * Math.log(0.25), 15);
    const index = strategy.computeLossAndGradient(wide, student, Int32Array.of(1));
    const oneHot = strategy.computeLossAndGradient(wide, student, Matrix.oneHot([1], 2, float64));
    expect(oneHot).toEqual(index);
  });

  test('IGNORE_INDEX and the mask take rows out of loss, gradient and mean', () => {
    const three = matrix([5, 0], [0, 0], [Number.NaN, 1]);
    const teachers = matrix([0, 0], [ln3, 0], [0, 0]);
    const { loss, gradient, count } = response({ temperature: 1, alpha: 0 }).computeLossAndGradient(
      three,
      teachers,
      Int32Array.of(IGNORE_INDEX, 1, 0),
      { mask: [1, 1, 0] },
    );
    expect(count).toBe(1);
    expect(loss).toBeCloseTo(divergence, 15);
    expect(gradient.toRows()[0]).toEqual([0, 0]);
    expect(gradient.toRows()[2]).toEqual([0, 0]);
  });

  test('a batch of which nothing is kept has loss 0 and gradient 0', () => {
    const result = response().computeLossAndGradient(student, teacher, Int32Array.of(IGNORE_INDEX));
    expect(result).toMatchObject({ loss: 0, count: 0 });
    expect(result.gradient.data).toEqual(new Float64Array(2));
    expect(response().computeLoss(Matrix.zeros(0, 3, float64), Matrix.zeros(0, 3, float64))).toBe(
      0,
    );
  });

  test('the normalizer replaces the number of rows', () => {
    const loss = response({ temperature: 1 }).computeLoss(student, teacher, undefined, {
      normalizer: 8,
    });
    expect(loss).toBeCloseTo(divergence / 8, 15);
  });

  test('tends to half the mean squared difference of the centred logits as T grows', () => {
    const s = [1, -2, 0.5];
    const t = [0, 1, 3];
    const difference = s.map((x, j) => x - t[j]!);
    const mean = difference.reduce((a, b) => a + b, 0) / 3;
    const limit = difference.reduce((sum, d) => sum + (d - mean) ** 2, 0) / 6;
    expect(response({ temperature: 1e4 }).computeLoss(matrix(s), matrix(t))).toBeCloseTo(limit, 3);
  });
});

describe('ResponseDistillationStrategy in log space', () => {
  test.each([0.05, 1, 100])(
    'is finite for logits up to ±1e4 at T = %d, and exact',
    (temperature) => {
      const strategy = response({ temperature, alpha: 0.5 });
      const { loss, gradient } = strategy.computeLossAndGradient(
        matrix([1e4, -1e4, 0]),
        matrix([-1e4, 1e4, 0]),
        Int32Array.of(1),
      );
      // Both are all but one-hot: KL = (1e4 − (−1e4)) / T, CE = 2e4.
      const expected = 0.5 * 2e4 + 0.5 * temperature * 2e4;
      expect(Math.abs(loss / expected - 1)).toBeLessThan(1e-12);
      expect(gradient.data.every(Number.isFinite)).toBe(true);
    },
  );

  test('does not saturate where probabilities underflow', () => {
    // log(1e-10) would stop at 23 nats.
    expect(response({ temperature: 1 }).computeLoss(matrix([0, 800]), matrix([800, 0]))).toBe(800);
  });

  test('student = teacher: loss and gradient are exactly 0, ties and duplicates included', () => {
    const same = matrix([0.3, 0.3, 7], [0.3, 0.3, 7], [0, 0, 0]);
    const { loss, gradient } = response().computeLossAndGradient(same, same.clone());
    expect(loss).toBe(0);
    expect(gradient.data.every((value) => value === 0)).toBe(true);
  });

  test('a class that the teacher rules out adds 0, and its gradient is q', () => {
    const student = matrix([0, 0, 0]);
    const teacher = matrix([0, 0, -Infinity]);
    const result = response({ temperature: 1 }).computeLossAndGradient(student, teacher);
    expect(result.loss).toBeCloseTo(Math.log(1.5), 15);
    expect(result.gradient.get(0, 2)).toBeCloseTo(1 / 3, 15);
  });

  test('a class that both rule out adds 0, with gradient 0', () => {
    const student = matrix([0, 0, -Infinity]);
    const teacher = matrix([ln3, 0, -Infinity]);
    const result = response({ temperature: 1 }).computeLossAndGradient(student, teacher);
    expect(result.loss).toBe(
      response({ temperature: 1 }).computeLoss(matrix([0, 0]), matrix([ln3, 0])),
    );
    expect(result.gradient.get(0, 2)).toBe(0);
  });

  test('a class that only the student rules out is an infinite loss: an error that names it', () => {
    const call = () =>
      response().computeLoss(matrix([0, 0], [0, -Infinity]), matrix([0, 0], [0, -1e6]));
    expect(refusal(call)).toMatchObject({
      code: 'RULED_OUT',
      argument: 'student',
      row: 1,
      column: 1,
      message:
        'ResponseDistillationStrategy.computeLoss: student row 1, column 1 must be above -Infinity where the teacher is, got -Infinity',
    });
  });

  test('a student that rules out the label is an error too', () => {
    const call = () =>
      response().computeGradient(matrix([0, -Infinity]), matrix([0, -Infinity]), Int32Array.of(1));
    expect(refusal(call)).toMatchObject({
      code: 'RULED_OUT',
      row: 0,
      column: 1,
      expected: 'be above -Infinity where the label is',
    });
  });

  test('a row that rules out everything is an error that names the row', () => {
    const call = () => response().computeLoss(matrix([0, 1]), matrix([-Infinity, -Infinity]));
    expect(refusal(call)).toMatchObject({ code: 'RULED_OUT', argument: 'teacher', row: 0 });
  });

  test.each([
    ['student', Number.NaN],
    ['student', Infinity],
    ['teacher', Number.NaN],
    ['teacher', Infinity],
  ])('%s: %d is an error that names argument, row and column', (argument, value) => {
    const bad = matrix([0, 1, 2], [3, value, 4]);
    const good = matrix([0, 1, 2], [3, 4, 5]);
    const call = () =>
      argument === 'student'
        ? response().computeLossAndGradient(bad, good)
        : response().computeLossAndGradient(good, bad);
    expect(refusal(call)).toMatchObject({
      code: 'NOT_FINITE',
      operation: 'ResponseDistillationStrategy.computeLossAndGradient',
      argument,
      row: 1,
      column: 1,
      received: String(value),
      message: `ResponseDistillationStrategy.computeLossAndGradient: ${argument} row 1, column 1 is ${value}`,
    });
  });

  test('input too extreme for doubles is an error, not a NaN', () => {
    const call = () =>
      response({ temperature: 0.05 }).computeLoss(matrix([1e308, 0]), matrix([0, 0]));
    expect(refusal(call)).toMatchObject({ code: 'OVERFLOW', argument: 'loss' });
  });

  test('is never negative, and keeps its digits where student and teacher are close', () => {
    // For a small difference d between two logits of two classes at p = q = 1/2, KL is d²/8 up to
    // d⁴.
    for (const d of [1e-3, 1e-6, 1e-9]) {
      const loss = response({ temperature: 1 }).computeLoss(matrix([0, d]), matrix([0, 0]));
      expect(Math.abs(loss / ((d * d) / 8) - 1)).toBeLessThan(1e-6);
    }
    const hot = response({ temperature: 1e6 }).computeLoss(matrix([1, -2, 0.5]), matrix([0, 1, 3]));
    expect(hot).toBeCloseTo(9.5 / 6, 5); // half the mean squared difference of the centred logits
  });

  test('blames the row that is to blame, and not a class that only the teacher rules out', () => {
    const call = () =>
      response().computeLoss(
        matrix([0, 0], [0, 0]),
        matrix([0, -Infinity], [-Infinity, -Infinity]),
      );
    expect(refusal(call)).toMatchObject({
      code: 'RULED_OUT',
      argument: 'teacher',
      row: 1,
      message:
        'ResponseDistillationStrategy.computeLoss: teacher row 1 must be above -Infinity in some column, got -Infinity',
    });
  });

  test('at alpha = 1 blames the row that was read', () => {
    const hard = response({ alpha: 1 });
    const ruled = () =>
      hard.computeLoss(
        matrix([1, -Infinity], [-Infinity, 1]),
        matrix([1, 2], [Number.NaN, 2]),
        Int32Array.of(0, 0),
      );
    expect(refusal(ruled)).toMatchObject({ code: 'RULED_OUT', row: 1, column: 0 });
  });

  test('float32 sums lose no more than single terms: a vocabulary of 151,936 classes', () => {
    const columns = 151_936;
    const student = Matrix.zeros(1, columns, float32);
    const teacher = Matrix.zeros(1, columns, float32);
    for (let j = 0; j < columns; j++) teacher.data[j] = Math.sin(j);
    const single = new ResponseDistillationStrategy({ temperature: 1 }).computeLoss(
      student,
      teacher,
    );
    const double = response({ temperature: 1 }).computeLoss(
      student.as(float64),
      teacher.as(float64),
    );
    expect(Math.abs(single / double - 1)).toBeLessThan(4e-7);
  });
});

describeKernels('The response loss of extremes', () => {
  test.each([17, 20, 1025])('in %d columns that are as low as what pads rows', (columns) => {
    const low = Matrix.zeros(2, columns, float64);
    low.data.fill(-1e31);
    const strategy = response({ temperature: 1, alpha: 0.5 });
    const loss = strategy.computeLoss(low, low.clone(), Int32Array.of(0, 3));
    expect(loss).toBeCloseTo(0.5 * Math.log(columns), 12);
  });

  test.each([3, 8, 17, 24, 1028])(
    'a NaN is seen in the last of %d columns, whatever its bits',
    (columns) => {
      for (const bits of [0x7fc00000, 0x7fc00001, 0xffffffff]) {
        for (const alpha of [0, 0.4, 1]) {
          for (const side of ['student', 'teacher'] as const) {
            if (side === 'teacher' && alpha === 1) continue; // it is not read
            const sides = { student: Matrix.zeros(1, columns), teacher: Matrix.zeros(1, columns) };
            for (let i = 0; i < columns; i++) sides.student.data[i] = 0.1 * i;
            new Uint32Array(sides[side].data.buffer)[columns - 1] = bits;
            const gradient = Matrix.fromRows([Array(columns).fill(7)]);
            const strategy = new ResponseDistillationStrategy({ alpha, temperature: 2 });
            const call = () =>
              strategy.computeGradient(sides.student, sides.teacher, Int32Array.of(0), {
                gradient,
                accumulate: true,
              });
            expect(refusal(call)).toMatchObject({ code: 'NOT_FINITE', argument: side, row: 0 });
            expect(gradient.data.every((value) => value === 7)).toBe(true);
          }
        }
      }
    },
  );

  test.each([4, 20, 1030])('masks of finite numbers weigh nothing in %d columns', (columns) => {
    for (const [low, lower] of [
      [-1e4, -1e30],
      [-1e9, -3e38],
    ] as const) {
      const row = (mask: number) => [1, 0, ...Array(columns - 2).fill(mask)];
      const loss = new ResponseDistillationStrategy({ temperature: 1 }).computeLoss(
        Matrix.fromRows([row(lower)]),
        Matrix.fromRows([row(low)]),
      );
      expect(loss).toBe(0);
    }
  });

  test('a block that only the teacher rules out weighs nothing beside what pads it', () => {
    const columns = 1025;
    const student = Float64Array.from({ length: columns }, (_, i) => Math.sin(i));
    const teacher = Float64Array.from({ length: columns }, (_, i) => 3 * Math.cos(1.3 * i));
    teacher[1024] = -Infinity;
    const strategy = new ResponseDistillationStrategy<FloatArray>({ temperature: 2 });
    const [s, t] = [new Matrix(student, 1, columns), new Matrix(teacher, 1, columns)];
    const double = strategy.computeLoss(s, t);
    const single = strategy.computeLoss(s.as(float32), t.as(float32));
    expect(double).toBeCloseTo(1.83434, 4);
    expect(Math.abs(single / double - 1)).toBeLessThan(1e-6); // the logits are rounded
  });

  test('large logits leave no weight to what both sides rule out', () => {
    const ruledOut = Array(17).fill(-Infinity);
    const { loss, gradient } = new ResponseDistillationStrategy({
      temperature: 1,
    }).computeLossAndGradient(
      Matrix.fromRows([[1e10, 1e10, 1e10, ...ruledOut]]),
      Matrix.fromRows([[0, 1, 2, ...ruledOut]]),
    );
    const weights = [1, Math.E, Math.E ** 2].map((e, _, all) => e / all.reduce((a, b) => a + b));
    const expected = weights.reduce((sum, p) => sum + p * Math.log(3 * p), 0);
    expect(loss).toBeCloseTo(expected, 6);
    weights.forEach((p, j) => {
      expect(gradient.get(0, j)).toBeCloseTo(1 / 3 - p, 6);
    });
  });

  test.each([12, 40])(
    'large logits close to each other keep their difference: %d columns',
    (columns) => {
      const numbers = (change: (i: number) => number) =>
        Matrix.fromRows([Array.from({ length: columns }, (_, i) => change(i))]);
      const teacher = numbers((i) => 1e4 * Math.sin(7 * i));
      const student = numbers((i) => 1e4 * Math.sin(7 * i) + 10 * Math.cos(5 * i));
      const strategy = new ResponseDistillationStrategy<FloatArray>({ temperature: 1e4 });
      const single = strategy.computeLoss(student, teacher);
      const double = strategy.computeLoss(student.as(float64), teacher.as(float64));
      expect(Math.abs(single / double - 1)).toBeLessThan(4e-7);
    },
  );

  test('leaves a gradient to add to as it was where the loss overflows', () => {
    const strategy = response({ temperature: 1e-300, temperatureSquared: false });
    const gradient = matrix([7, 7]);
    const call = () =>
      strategy.computeGradient(matrix([0, 1]), matrix([1, 0]), undefined, {
        normalizer: 1e-20,
        gradient,
        accumulate: true,
      });
    expect(refusal(call)).toMatchObject({ code: 'OVERFLOW' });
    expect(gradient.toRows()).toEqual([[7, 7]]);
  });
});

describeKernels('ResponseDistillationStrategy without a hard term', () => {
  test('gives the same bits after a call that fails', () => {
    const student = Matrix.fromRows([[0.3, -1.7, 2.1, 0.4]]);
    const teacher = Matrix.fromRows([[1.1, 0.2, -0.6, 0.9]]);
    const labels = Int32Array.of(2);
    const call = () => {
      const strategy = new ResponseDistillationStrategy({ alpha: 0 });
      const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, labels);
      return [loss, ...gradient.data];
    };
    // Lays the kernel's workspace out, and leaves finite numbers in it.
    new ResponseDistillationStrategy().computeLossAndGradient(student, teacher, labels);
    const before = call();
    const unusable = Matrix.fromRows([[Number.NaN, Number.NaN, Number.NaN, Number.NaN]]);
    expect(() =>
      new ResponseDistillationStrategy().computeLoss(unusable, teacher, labels),
    ).toThrow();
    expect(call()).toEqual(before);
  });
});
