import { describe, expect, test } from 'vitest';
import { float64, Matrix, SimilarityPreservingDistillationStrategy } from '../../../src/index.js';
import { checkGradient, type StrategySubject } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { describeKernels } from '../../support/describeKernels.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { isNonZero } from '../_cases.js';

/**
 * The loss does not depend on the student's scale either, except for rows of zeros, whose norm is
 * at the floor.
 */
const common: Omit<StrategySubject, 'invariances'> = {
  create: () => new SimilarityPreservingDistillationStrategy(),
  values: 'features',
  isRegular: isNonZero,
  sumOverRows: false,
  // Divided by the norm of a row of products, which may be small.
  rounding: 1e-9,
};

proveStrategy(SimilarityPreservingDistillationStrategy, {
  'by default': {
    ...common,
    invariances: ['row-order', 'column-order', 'teacher-scale'],
  },
  'with other columns': {
    ...common,
    columns: { student: 3, teacher: 5 },
    invariances: ['row-order', 'teacher-scale'],
  },
});

const strategy = new SimilarityPreservingDistillationStrategy<Float64Array>();

describe('SimilarityPreservingDistillationStrategy by hand', () => {
  test('compares the rows of x · xᵀ at unit length', () => {
    const student = matrix([1, 0], [0, 1]);
    const teacher = matrix([3], [3]);
    // Ĝ = [[1, 0], [0, 1]] against r = 1/√2 everywhere
    const r = Math.SQRT1_2;
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    expect(loss).toBeCloseTo((2 * (1 - r) ** 2 + 2 * r ** 2) / 4, 15);
    // By Ĝ: ½ (Ĝ − r); across a unit row g: 0 on the diagonal, −r/2 beside it; both of a pair come
    // to −r, times x.
    const expected = [0, -r, -r, 0];
    for (const [i, value] of gradient.data.entries()) expect(value).toBeCloseTo(expected[i]!, 15);
  });

  test('is exactly 0 at student = teacher, degenerate rows included', () => {
    for (const rows of [
      [[0, 0]],
      [[1e4], [-1e4]],
      [
        [1, 2],
        [1, 2],
        [0, 0],
        [-1, -2],
      ],
    ]) {
      const { loss, gradient } = strategy.computeLossAndGradient(matrix(...rows), matrix(...rows));
      expect(loss).toBe(0);
      expect(gradient.data.every((value) => Math.abs(value) === 0)).toBe(true);
    }
  });

  test('is 0 for a single row', () => {
    const { loss, gradient } = strategy.computeLossAndGradient(matrix([1, 2]), matrix([-3, 4]));
    expect(loss).toBe(0);
    expect(gradient.data.every((value) => Math.abs(value) === 0)).toBe(true);
  });

  test('gives a row of zeros no similarity, and the steep derivative of the floor', () => {
    const student = matrix([0, 0], [0, 3]);
    const apart = strategy.computeLossAndGradient(student, matrix([1, 0], [0, 1]));
    expect(apart.loss).toBe(1 / 4); // the similarity of the first row with itself
    expect(apart.gradient.data.every((value) => Math.abs(value) === 0)).toBe(true);
    // Alike in the teacher: by G of the first row with the second, ½ (0 − 1/√2) / 1e-12, times the
    // second
    const alike = strategy.computeGradient(student, matrix([1, 1], [1, 1]));
    expect(alike.get(0, 1) / ((-3 * Math.SQRT1_2) / 2 / 1e-12)).toBeCloseTo(1, 12);
  });

  test('does not depend on the scale of a side', () => {
    const [student, teacher] = [matrix([1, 2], [3, -1], [0.5, 0]), matrix([1, 1], [2, 3], [0, 1])];
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    const larger = Matrix.fromRows(
      student.toRows().map((row) => row.map((value) => 4 * value)),
      float64,
    );
    const scaled = strategy.computeLossAndGradient(larger, teacher);
    expect(scaled.loss).toBe(loss);
    expect(scaled.gradient.data).toEqual(gradient.data.map((value) => value / 4));
  });

  test('divides a row below the floor of 1e-12 by the floor, in value and gradient', () => {
    // G = x² = 1e-14, Ĝ = 0.01 against 0
    const { loss, gradient } = strategy.computeLossAndGradient(matrix([1e-7]), matrix([0]));
    expect(loss / 0.01 ** 2).toBeCloseTo(1, 12);
    // d loss / dx = 2 Ĝ · 2x / 1e-12
    expect(gradient.get(0, 0) / ((2 * 0.01 * 2e-7) / 1e-12)).toBeCloseTo(1, 12);
  });

  test('does not compare with excluded rows', () => {
    const [student, teacher] = [matrix([1, 0], [7, 7], [1, 1]), matrix([1, 1], [2, 3], [0, 1])];
    const loss = strategy.computeLoss(student, teacher, undefined, { mask: [1, 0, 1] });
    expect(loss).toBe(strategy.computeLoss(matrix([1, 0], [1, 1]), matrix([1, 1], [0, 1])));
    expect(strategy.computeLoss(student, teacher, undefined, { mask: [0, 0, 0] })).toBe(0);
  });

  test('refuses squares that overflow, instead of returning 0', () => {
    const call = () => strategy.computeLoss(matrix([1e200], [1]), matrix([1], [1]));
    expect(refusal(call)).toMatchObject({ code: 'OVERFLOW' });
  });

  test('refuses other rows and any option', () => {
    expect(refusal(() => strategy.computeLoss(matrix([1]), matrix([1], [2])))).toMatchObject({
      code: 'SHAPE_MISMATCH',
      argument: 'teacher',
    });
    expect(
      refusal(() => new SimilarityPreservingDistillationStrategy(wrong({ weight: 1 }))),
    ).toMatchObject({ code: 'UNKNOWN_OPTION', argument: 'options' });
  });
});

describeKernels('SimilarityPreservingDistillationStrategy of a batch that kernels take', () => {
  test('has an exact gradient', () => {
    const wave = (rows: number, columns: number, step: number) =>
      Matrix.fromRows(
        Array.from({ length: rows }, (_, i) =>
          Array.from({ length: columns }, (_, j) => Math.sin(step * (i * columns + j) + 1)),
        ),
        float64,
      );
    const report = checkGradient(strategy, wave(20, 9, 0.7), wave(20, 12, 1.3));
    expect(report).toMatchObject({ passed: true, coordinates: 180 });
  });
});
