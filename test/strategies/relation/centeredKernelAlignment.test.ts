import { describe, expect, test } from 'vitest';
import { CenteredKernelAlignmentDistillationStrategy } from '../../../src/index.js';
import type { StrategySubject } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';

/** At least two rows that all differ, so that the rows that a mask keeps are not all equal. */
const areDifferent: NonNullable<StrategySubject['isRegular']> = (row, index, rows) =>
  rows.length > 1 &&
  rows.every((other, i) => i === index || other.some((value, j) => value !== row[j]));

const common: Omit<StrategySubject, 'invariances'> = {
  create: () => new CenteredKernelAlignmentDistillationStrategy(),
  values: 'features',
  isRegular: areDifferent,
  sumOverRows: false,
  // Divided by the distance of the rows, which may be as small as 1/32.
  rounding: 1e-9,
};

proveStrategy(CenteredKernelAlignmentDistillationStrategy, {
  'by default': {
    ...common,
    invariances: ['row-order', 'column-order', 'translation', 'student-scale', 'teacher-scale'],
  },
  'with other columns': {
    ...common,
    columns: { student: 2, teacher: 5 },
    invariances: ['row-order', 'translation'],
  },
  'of many rows': { ...common, rows: 9, columns: 2, invariances: ['row-order'] },
});

const strategy = new CenteredKernelAlignmentDistillationStrategy<Float64Array>();

describe('CenteredKernelAlignmentDistillationStrategy by hand', () => {
  test('is one minus the cosine of the centred Gram matrices', () => {
    // with one column each, centred: x = −1, 0, 1 and y = 1, −2, 1 are orthogonal
    const student = matrix([4], [5], [6]);
    expect(strategy.computeLoss(student, matrix([1], [-2], [1]))).toBeCloseTo(1, 15);
    // x and y = −1, −1, 2: (x · y)² / (|x|² |y|²) = 9 / 12
    const { loss, gradient } = strategy.computeLossAndGradient(student, matrix([0], [0], [3]));
    expect(loss).toBeCloseTo(1 / 4, 15);
    // −d = 2 (x · y) y / 12 − 2 (9/12) x / 2 = y / 2 − ¾ x
    const expected = [-1 / 4, 1 / 2, -1 / 4];
    for (const [i, value] of gradient.data.entries()) expect(value).toBeCloseTo(expected[i]!, 15);
  });

  test('does not depend on a rotation, on the scale, or on a row added to all rows', () => {
    const teacher = matrix([1, 2], [0, -1], [3, 1], [-2, 0.5]);
    const student = matrix(...teacher.toRows().map(([a, b]) => [3 * b! + 1e3, -3 * a! - 7, 5]));
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    expect(loss).toBeCloseTo(0, 15);
    for (const value of gradient.data) expect(value).toBeCloseTo(0, 15);
  });

  test('is the same in the form over columns, for more rows than columns', () => {
    // Columns of zeros change only the form.
    const student = [[0.5], [-1], [2], [0.25], [1.5], [-3], [0.125]];
    const teacher = [[2], [1], [-1], [0.5], [3], [-2], [0.75]];
    const widened = (rows: number[][]) => matrix(...rows.map((row) => [...row, 0, 0, 0]));
    const narrow = strategy.computeLossAndGradient(matrix(...student), matrix(...teacher));
    const wide = strategy.computeLossAndGradient(widened(student), widened(teacher));
    expect(wide.loss).toBeCloseTo(narrow.loss, 14);
    for (const row of student.keys()) {
      expect(wide.gradient.get(row, 0)).toBeCloseTo(narrow.gradient.get(row, 0), 14);
    }
  });

  test('is exactly 0 at student = teacher, in both forms', () => {
    for (const rows of [[[1, 2, 0.1]], [[1], [2], [0.3], [0.3]]]) {
      const side = matrix(...rows, ...rows.map((row) => row.map((value) => value + 0.7)));
      const { loss, gradient } = strategy.computeLossAndGradient(side, side.clone());
      expect(loss).toBe(0);
      for (const value of gradient.data) expect(value).toBeCloseTo(0, 15);
    }
  });

  test('is 1 with a gradient of 0 if all rows of a side are equal', () => {
    const equal = matrix([0.1, 0.7], [0.1, 0.7], [0.1, 0.7]);
    const different = matrix([1, 2], [3, 4], [0, 1]);
    for (const [student, teacher] of [
      [equal, different],
      [different, equal],
      [equal, equal],
      [matrix([1, 2]), matrix([3])],
    ] as const) {
      const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
      expect(loss).toBe(1);
      expect(gradient.data.every((value) => value === 0)).toBe(true);
    }
  });

  test('neither overflows nor underflows', () => {
    const teacher = matrix([1, 2], [3, -4], [0, 1]);
    for (const scale of [1e-160, 1e160]) {
      const student = matrix(...teacher.toRows().map((row) => row.map((value) => scale * value)));
      expect(strategy.computeLoss(student, teacher)).toBeCloseTo(0, 15);
    }
  });
});

describe('CenteredKernelAlignmentDistillationStrategy refuses', () => {
  test('other rows, by name', () => {
    const call = () => strategy.computeLoss(matrix([1, 2]), matrix([1, 2], [3, 4]));
    expect(refusal(call)).toMatchObject({ code: 'SHAPE_MISMATCH', argument: 'teacher' });
  });

  test.each([
    ['student', matrix([1, 2], [Number.NaN, 0]), matrix([1], [1])],
    ['teacher', matrix([1], [1]), matrix([1, 2], [Number.POSITIVE_INFINITY, 0])],
  ])('a %s that is not finite, also beside equal rows', (argument, student, teacher) => {
    const place = { code: 'NOT_FINITE', argument, row: 1, column: 0 };
    expect(refusal(() => strategy.computeGradient(student, teacher))).toMatchObject(place);
  });

  test('options that it does not have', () => {
    const call = () => new CenteredKernelAlignmentDistillationStrategy(wrong({ kernel: 'rbf' }));
    expect(refusal(call)).toMatchObject({ code: 'UNKNOWN_OPTION' });
  });
});
