import { describe, expect, test } from 'vitest';
import {
  float32,
  float64,
  MarginMSEDistillationStrategy,
  Matrix,
  type NumericTrait,
} from '../../../src/index.js';
import { assertGradient } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { describeKernels } from '../../support/describeKernels.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';

proveStrategy(MarginMSEDistillationStrategy, {
  'by default': {
    create: () => new MarginMSEDistillationStrategy(),
    values: 'features',
    invariances: ['row-shift', 'row-order'],
  },
});

const strategy = new MarginMSEDistillationStrategy<Float64Array>();
const none = -Infinity;

describeKernels('MarginMSEDistillationStrategy by hand', () => {
  test('is the mean over candidates of the squared difference of margins', () => {
    const { loss, gradient } = strategy.computeLossAndGradient(
      matrix([3, 1, 2], [0, 5, 0]),
      matrix([1, 0, -2], [2, 2, 2]),
    );
    // Margins of 2 and 1, and of 1 and 3; margins of −5 and 0, and of 0 and 0.
    expect(loss).toBe(((1 + 4) / 2 + (25 + 0) / 2) / 2);
    expect(gradient.toRows()).toEqual([
      [(1 - 2) / 2, -1 / 2, 2 / 2],
      [-5 / 2, 5 / 2, 0],
    ]);
  });

  test('excludes missing candidates from the mean', () => {
    const ragged = strategy.computeLossAndGradient(
      matrix([3, none, 1, none], [0, 5, 0, 1]),
      matrix([1, none, 0, none], [2, 2, 2, 2]),
    );
    const first = strategy.computeLossAndGradient(matrix([3, 1]), matrix([1, 0]));
    const second = strategy.computeLossAndGradient(matrix([0, 5, 0, 1]), matrix([2, 2, 2, 2]));
    expect(ragged.loss).toBe((first.loss + second.loss) / 2);
    const [before, after] = first.gradient.toRows()[0]!;
    expect(ragged.gradient.toRows()).toEqual([
      [before! / 2, 0, after! / 2, 0],
      second.gradient.toRows()[0]!.map((slope) => slope / 2),
    ]);
  });

  test('has an exact gradient for rows of different lengths, also for wide rows', () => {
    const scores = (phase: number) =>
      matrix(
        ...[0, 1, 2].map((row) =>
          Array.from({ length: 19 }, (_, j) =>
            j > 3 * row + 4 ? none : Math.sin(7 * j + 3 * row + phase),
          ),
        ),
      );
    assertGradient(strategy, scores(0), scores(1));
  });

  test('is 0 for a query with its positive only, which counts as a row', () => {
    const { loss, gradient, count } = strategy.computeLossAndGradient(
      matrix([3, none], [2, 0]),
      matrix([9, none], [0, 0]),
    );
    expect([loss, count]).toEqual([4 / 2, 2]);
    expect(gradient.toRows()).toEqual([
      [0, 0],
      [2, -2],
    ]);
  });

  test('keeps the precision of the margins beside a large constant in a row', () => {
    const wide = (shift: number): Matrix =>
      Matrix.fromRows([Array.from({ length: 20 }, (_, j) => shift + j / 64)]);
    const single = new MarginMSEDistillationStrategy();
    const { loss, gradient } = single.computeLossAndGradient(wide(1000), wide(-500));
    expect([loss, ...gradient.data]).toEqual(new Array(21).fill(0));
  });

  test.each([float32, float64] as NumericTrait<Float32Array>[])(
    'refuses a gradient that overflows its dtype, for scores of any size: $dtype',
    (numeric) => {
      const single = new MarginMSEDistillationStrategy<Float32Array>();
      const size = numeric.dtype === 'float32' ? 1e38 : 1e150;
      const student = Matrix.zeros(1, 20, numeric);
      const teacher = Matrix.zeros(1, 20, numeric);
      student.set(0, 1, -size);
      const { loss, gradient } = single.computeLossAndGradient(student, teacher);
      const scale = student.get(0, 1) ** 2 / 19;
      expect(loss / scale).toBeCloseTo(1, 12);
      expect((gradient.get(0, 0) / size) * 19).toBeCloseTo(2, 5);
      teacher.data.fill(numeric.largest, 1);
      student.data.fill(-numeric.largest, 1);
      expect(refusal(() => single.computeGradient(student, teacher))).toMatchObject({
        code: 'OVERFLOW',
      });
    },
  );

  test.each([
    ['the student alone', 'student', 1],
    ['the teacher alone', 'teacher', 2],
  ] as const)('refuses −Infinity of %s, with a hint that works', (_, side, column) => {
    const call = { student: matrix([1, 2, 3], [1, 2, 3]), teacher: matrix([0, 1, 0], [0, 1, 0]) };
    call[side].set(1, column, none);
    const run = () => strategy.computeGradient(call.student, call.teacher);
    const other = side === 'student' ? 'teacher' : 'student';
    expect(refusal(run)).toMatchObject({
      code: 'RULED_OUT',
      argument: side,
      row: 1,
      column,
      message: `MarginMSEDistillationStrategy.computeGradient: ${side} row 1, column ${column} must be above -Infinity where the ${other} is, got -Infinity; give both sides -Infinity where there is no candidate`,
    });
    call[other].set(1, column, none);
    expect(run).not.toThrow();
  });

  test.each([
    [
      [none, none],
      ['student', 'teacher'],
    ],
    [[none, 1], ['student']],
    [[1, none], ['teacher']],
  ] as const)('refuses a positive of %j, with a hint that works', ([s, t], [side]) => {
    for (const rest of [none, 0]) {
      const student = matrix([1, 2], [s, rest]);
      const teacher = matrix([1, 2], [t, rest]);
      expect(refusal(() => strategy.computeLoss(student, teacher))).toMatchObject({
        code: 'RULED_OUT',
        argument: side,
        row: 1,
        column: 0,
        message: `MarginMSEDistillationStrategy.computeLoss: ${side} row 1, column 0 must be above -Infinity, got -Infinity; the positive is in column 0: take a query without one out by a mask`,
      });
      expect(strategy.computeLoss(student, teacher, undefined, { mask: [1, 0] })).toBe(0);
    }
  });

  test('finds a NaN in a row without candidates', () => {
    const student = matrix([Number.NaN, none]);
    expect(refusal(() => strategy.computeLoss(student, matrix([0, none])))).toMatchObject({
      code: 'NOT_FINITE',
      argument: 'student',
      row: 0,
      column: 0,
    });
  });
});

describe('MarginMSEDistillationStrategy', () => {
  test('refuses one column, which has no candidate beside the positive', () => {
    expect(refusal(() => strategy.computeLoss(matrix([1], [2]), matrix([1], [2])))).toMatchObject({
      code: 'OUT_OF_RANGE',
      argument: 'student',
      message:
        'MarginMSEDistillationStrategy.computeLoss: student must have at least 2 columns, got 1; a row holds the scores of all candidates of one query',
    });
  });

  test('refuses options that it does not have', () => {
    const call = () => new MarginMSEDistillationStrategy(wrong<object>({ margin: 1 }));
    expect(refusal(call)).toMatchObject({ code: 'UNKNOWN_OPTION' });
  });
});
