import { describe, expect, test } from 'vitest';
import { ProbabilisticTransferDistillationStrategy } from '../../../src/index.js';
import type { StrategySubject } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';

/**
 * Rows that are large beside the step of a difference, of which no two are opposite; there, the
 * constant 1e-7 bends the loss.
 */
const isRegularForNeighbours: NonNullable<StrategySubject['isRegular']> = (row, _, rows) => {
  const length = Math.hypot(...row);
  const isOpposite = (other: readonly number[]) =>
    Math.hypot(...row.map((value, j) => value / length + other[j]! / Math.hypot(...other))) < 0.1;
  return length >= 0.5 && !rows.some(isOpposite);
};

const common: Omit<StrategySubject, 'invariances'> = {
  create: () => new ProbabilisticTransferDistillationStrategy(),
  values: 'features',
  isRegular: isRegularForNeighbours,
  // The constant 1e-7 moves the minimum slightly below the loss at student = teacher.
  minimum: -1.7e-6,
  reachesMinimum: false,
  sumOverRows: false,
  // Divided by the norm of a row, which may be as small as 1/32.
  rounding: 1e-9,
};

proveStrategy(ProbabilisticTransferDistillationStrategy, {
  'by default': { ...common, invariances: ['row-order', 'column-order'] },
  'with other columns': {
    ...common,
    columns: { student: 3, teacher: 5 },
    invariances: ['row-order'],
  },
});

const strategy = new ProbabilisticTransferDistillationStrategy<Float64Array>();

describe('ProbabilisticTransferDistillationStrategy by hand', () => {
  test('compares the probabilities that rows pick each other as neighbours', () => {
    const student = matrix([1, 0], [0, 1]);
    const teacher = matrix([3, 4, 0], [3, 4, 0]);
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    // s = [[1, ½], [½, 1]], q = ⅔, ⅓ against p = ½, ½: mean over 4 of twice ½ ln(3/4) + ½ ln(3/2)
    expect(loss).toBeCloseTo(Math.log(9 / 8) / 4, 6);
    // by the cosine ½ (1/(3 + c) − ½/(1 + c)) at c = 0, and the cosine of unit rows by one of them
    // is the other
    const expected = [0, -1 / 12, -1 / 12, 0];
    for (const [i, value] of gradient.data.entries()) expect(value).toBeCloseTo(expected[i]!, 6);
  });

  test('adds 1e-7 to the norm and to both probabilities', () => {
    const loss = strategy.computeLoss(matrix([1e-7], [-1e-7]), matrix([1e7], [1e7]));
    // x̂ = ±½, s = [[5/8, 3/8], [3/8, 5/8]]; the rows of the teacher have s = 1
    const divergence = (q: number) => 0.5 * Math.log((0.5 + 1e-7) / (q + 1e-7));
    expect(loss).toBeCloseTo((divergence(5 / 8) + divergence(3 / 8)) / 2, 13);
  });

  test('differentiates x / 1e-7 at a row of zeros', () => {
    const gradientAt = (x: number) =>
      strategy.computeGradient(matrix([x, 0], [0, 1], [1, 1]), matrix([1, 2], [2, 1], [0, 1]));
    expect(gradientAt(0).get(0, 0) / gradientAt(1e-12).get(0, 0)).toBeCloseTo(1, 4);
    expect(Math.abs(gradientAt(0).get(0, 0))).toBeGreaterThan(1e4);
  });

  test('is 0 at student = teacher, degenerate rows included', () => {
    for (const rows of [
      [[0, 0]],
      [
        [1, 2],
        [1, 2],
        [0, 0],
        [-1, -2],
      ],
      [[1e4], [-1e4]],
    ]) {
      const { loss, gradient } = strategy.computeLossAndGradient(matrix(...rows), matrix(...rows));
      expect(loss).toBe(0);
      expect(gradient.data.every(Number.isFinite)).toBe(true);
    }
  });

  test('is 0 for a single row, with a gradient of 0', () => {
    const { loss, gradient } = strategy.computeLossAndGradient(matrix([1, 2]), matrix([0, -3, 1]));
    expect(loss).toBe(0);
    expect(gradient.toRows()).toEqual([[0, 0]]);
  });

  test('may be slightly negative because of the 1e-7', () => {
    const teacher = matrix([1, 0], [-1, 1e-3]);
    const loss = strategy.computeLoss(matrix([1, 0], [-1, 8e-4]), teacher);
    expect(loss).toBeLessThan(0);
    expect(loss).toBeGreaterThan(-1.7e-6);
  });

  test('neither overflows nor underflows before the cosine', () => {
    const student = matrix([3e200, 4e200], [1e200, 0]);
    expect(strategy.computeLoss(student, matrix([3, 4], [1, 0]))).toBeCloseTo(0, 6);
  });
});

describe('ProbabilisticTransferDistillationStrategy refuses', () => {
  test('other rows, by name', () => {
    const call = () => strategy.computeLoss(matrix([1, 2]), matrix([1, 2], [3, 4]));
    expect(refusal(call)).toMatchObject({ code: 'SHAPE_MISMATCH', argument: 'teacher' });
  });

  test.each([
    ['student', matrix([1, 2], [Number.NaN, 0]), matrix([1], [2])],
    ['teacher', matrix([1], [2]), matrix([1, 2], [Number.POSITIVE_INFINITY, 0])],
  ])('a %s that is not finite', (argument, student, teacher) => {
    const place = { code: 'NOT_FINITE', argument, row: 1, column: 0 };
    expect(refusal(() => strategy.computeGradient(student, teacher))).toMatchObject(place);
  });

  test('options that it does not have', () => {
    const call = () => new ProbabilisticTransferDistillationStrategy(wrong({ epsilon: 1e-8 }));
    expect(refusal(call)).toMatchObject({ code: 'UNKNOWN_OPTION' });
  });
});
