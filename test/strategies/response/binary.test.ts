import { describe, expect, test } from 'vitest';
import {
  BinaryDistillationStrategy,
  IGNORE_INDEX,
  type Matrix,
  ResponseDistillationStrategy,
  UNLABELED,
} from '../../../src/index.js';
import type { StrategySubject } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { COLDER, divergence, standardized } from './_cases.js';

function lawCase(
  options: ConstructorParameters<typeof BinaryDistillationStrategy>[0],
): StrategySubject {
  return divergence(() => new BinaryDistillationStrategy(options), {
    labels: 'several',
    invariances: ['row-order', 'column-order'],
  });
}

proveStrategy(BinaryDistillationStrategy, {
  'by default': lawCase({}),
  'T = 0.05, alpha = 0.9': lawCase({ temperature: 0.05, alpha: 0.9 }),
  'T = 100, without T²': lawCase({ temperature: 100, temperatureSquared: false }),
  standardized: {
    ...standardized(() => new BinaryDistillationStrategy({ standardizeLogits: true })),
    labels: 'several',
    invariances: ['row-order', 'column-order'],
  },
  'a colder teacher': { ...lawCase(COLDER), reachesMinimum: false },
});

type Options = ConstructorParameters<typeof BinaryDistillationStrategy>[0];

const ln3 = Math.log(3);

function binary(options: Options = {}): BinaryDistillationStrategy<Float64Array> {
  return new BinaryDistillationStrategy(options);
}

/** Compares a row of the gradient, up to rounding. */
const near = (...values: number[]) => [values.map((value) => expect.closeTo(value, 14))];

describe('BinaryDistillationStrategy by hand', () => {
  // σ(0) = 1/2, σ(ln 3) = 3/4, σ(−ln 3) = 1/4
  const student = matrix([0, 0, 0]);
  const teacher = matrix([ln3, -ln3, 0]);
  const divergence = 2 * (0.75 * Math.log(1.5) + 0.25 * Math.log(0.5));

  test('is the sum over classes of KL of Bernoulli distributions, with gradient σ(s) − σ(t)', () => {
    const strategy = binary({ temperature: 1 });
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    expect(loss).toBeCloseTo(divergence, 14);
    expect(gradient.toRows()).toEqual(near(-0.25, 0.25, 0));
  });

  test('divides both sides by T and multiplies by T²', () => {
    const double = matrix([2 * ln3, -2 * ln3, 0]);
    expect(binary({ temperature: 2 }).computeLoss(student, double)).toBeCloseTo(4 * divergence, 14);
    const plain = binary({ temperature: 2, temperatureSquared: false });
    const { loss, gradient } = plain.computeLossAndGradient(student, double);
    expect(loss).toBeCloseTo(divergence, 14);
    expect(gradient.toRows()).toEqual(near(-0.125, 0.125, 0));
  });

  test('labels have an element for each class, and their cross-entropy is at T = 1', () => {
    const labels = matrix([1, 1, 0.25]);
    const strategy = binary({ temperature: 2, alpha: 1 });
    const { loss, gradient } = strategy.computeLossAndGradient(teacher, teacher, labels);
    expect(loss).toBeCloseTo(-Math.log(0.75) - Math.log(0.25) + Math.LN2, 14);
    expect(gradient.toRows()).toEqual(near(-0.25, -0.75, 0.25));
    const blend = binary({ temperature: 1, alpha: 0.25 }).computeLoss(student, teacher, labels);
    expect(blend).toBeCloseTo(0.25 * 3 * Math.LN2 + 0.75 * divergence, 14);
  });

  test('a class index stands for a one-hot label', () => {
    const one = binary().computeLossAndGradient(student, teacher, Int32Array.of(2));
    const row = binary().computeLossAndGradient(student, teacher, matrix([0, 0, 1]));
    expect(one).toEqual(row);
    expect(binary({ alpha: 1 }).computeLoss(teacher, teacher, Int32Array.of(0))).toBeCloseTo(
      -2 * Math.log(0.75) + Math.LN2,
      14,
    );
  });

  test('a row without a label has the soft loss only; an ignored row has none', () => {
    const twice = [matrix([0, 0, 0], [0, 0, 0]), matrix([ln3, -ln3, 0], [0, 0, 5])] as const;
    const strategy = binary({ temperature: 1, alpha: 1 });
    const labels = Int32Array.of(UNLABELED, IGNORE_INDEX);
    const { loss, count } = strategy.computeLossAndGradient(...twice, labels);
    expect([loss, count]).toEqual([expect.closeTo(divergence, 14), 1]);
  });

  test('a label row without any class is a valid label', () => {
    const strategy = binary({ alpha: 1 });
    const two = matrix([1, 2], [3, -1]);
    const labels = matrix([0, 0], [1, 0]);
    const { loss, gradient } = strategy.computeLossAndGradient(two, two, labels);
    const rows = [0, 1].map((i) => {
      const row = matrix([...two.row(i)]);
      return strategy.computeLossAndGradient(row, row, matrix([...labels.row(i)]));
    });
    expect(loss).toBeCloseTo((rows[0]!.loss + rows[1]!.loss) / 2, 14);
    expect(gradient.toRows()).toEqual(
      rows.flatMap((row) => near(...[...row.gradient.data].map((g) => g / 2))),
    );
  });
});

describe('BinaryDistillationStrategy', () => {
  test('of one class is the response loss of that class and a logit of 0', () => {
    for (const [s, t] of [
      [0.5, -2],
      [700, 3],
      [-9000, 8999],
    ] as const) {
      for (const temperature of [0.05, 1, 100]) {
        const options = { temperature, alpha: 0.4 };
        const own = binary(options).computeLossAndGradient(matrix([s]), matrix([t]), matrix([1]));
        const whole = new ResponseDistillationStrategy<Float64Array>(options);
        const pair = whole.computeLossAndGradient(matrix([s, 0]), matrix([t, 0]), Int32Array.of(0));
        expect(own.loss / pair.loss).toBeCloseTo(1, 13);
        expect(own.gradient.get(0, 0)).toBeCloseTo(pair.gradient.get(0, 0), 10);
      }
    }
  });

  test('keeps its precision where both sides are nearly certain, beyond where 1 − σ is 0', () => {
    // 1 − p = e^−50 and 1 − q = e^−60 but for 2e-22: KL = e^−50 (10 − 1) + e^−60
    const strategy = binary({ temperature: 1 });
    const { loss, gradient } = strategy.computeLossAndGradient(
      matrix([60, -60]),
      matrix([50, -50]),
    );
    expect(loss / (2 * (9 * Math.exp(-50) + Math.exp(-60)))).toBeCloseTo(1, 12);
    const slope = Math.exp(-50) - Math.exp(-60);
    expect([...gradient.data].map((g) => g / slope)).toEqual(near(1, -1)[0]);
  });

  test('a class that the teacher or both sides rule out has probability 0', () => {
    const strategy = binary({ temperature: 1 });
    const { loss, gradient } = strategy.computeLossAndGradient(
      matrix([ln3, -Infinity]),
      matrix([-Infinity, -Infinity]),
    );
    expect(loss).toBeCloseTo(Math.log(4), 14); // −ln(1 − 3/4)
    expect(gradient.toRows()).toEqual(near(0.75, 0));
  });

  test.each<[string, number[], number[], number[] | undefined, object]>([
    ['the student alone', [0, -Infinity], [0, 0], undefined, { row: 1, column: 1 }],
    ['the student where the label is', [0, -Infinity], [0, -Infinity], [0, 0.5], { column: 1 }],
  ])('a class that is ruled out by %s is an error', (_, s, t, label, place) => {
    const out = [-Infinity, -Infinity]; // the loss accepts both
    const labels = label && matrix([0, 0], label);
    const call = () => binary().computeLoss(matrix(out, s), matrix(out, t), labels);
    expect(refusal(call)).toMatchObject({ code: 'RULED_OUT', argument: 'student', ...place });
  });

  test.each([Number.NaN, Infinity])('refuses a logit of %d, on either side', (value) => {
    const [good, bad] = [matrix([0, 1]), matrix([0, value])];
    for (const options of [{}, { alpha: 1 }]) {
      for (const label of [0, 1]) {
        const call = () => binary(options).computeLoss(bad, good, Int32Array.of(label));
        expect(refusal(call)).toMatchObject({ code: 'NOT_FINITE', argument: 'student', column: 1 });
      }
    }
    expect(refusal(() => binary().computeLoss(good, bad))).toMatchObject({
      code: 'NOT_FINITE',
      argument: 'teacher',
      column: 1,
    });
  });

  test.each<[string, Matrix<Float64Array> | Int32Array, object]>([
    ['an entry above 1', matrix([0, 1.0005]), { code: 'OUT_OF_RANGE', row: 0, column: 1 }],
    ['an entry below 0', matrix([-1, 1]), { code: 'OUT_OF_RANGE', row: 0, column: 0 }],
    ['a NaN', matrix([0, Number.NaN]), { code: 'NOT_FINITE', row: 0, column: 1 }],
    ['other columns', matrix([0, 1, 1]), { code: 'SHAPE_MISMATCH' }],
    ['a class that is none', Int32Array.of(2), { code: 'OUT_OF_RANGE', row: 0 }],
  ])('refuses labels with %s', (_, labels, error) => {
    const call = () => binary().computeLoss(matrix([0, 1]), matrix([1, 0]), labels);
    expect(refusal(call)).toMatchObject({ argument: 'labels', ...error });
  });

  test('has no option of its own besides temperature and alpha', () => {
    expect([binary().temperature, binary().alpha]).toEqual([3, 0.3]);
    expect(refusal(() => binary(wrong({ reduction: 'mean' })))).toMatchObject({
      operation: 'BinaryDistillationStrategy',
      code: 'UNKNOWN_OPTION',
    });
  });
});
