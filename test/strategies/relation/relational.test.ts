import { describe, expect, test } from 'vitest';
import {
  float64,
  Matrix,
  type RelationalDistillationOptions,
  RelationalDistillationStrategy,
} from '../../../src/index.js';
import { checkGradient, type StrategySubject } from '../../../src/testing/index.js';
import { proveStrategy, proveVanishing } from '../../prove/index.js';
import { describeKernels } from '../../support/describeKernels.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';

/** True if no two rows are equal, between which the direction jumps. */
const isSingle = (
  row: readonly number[],
  index: number,
  rows: readonly (readonly number[])[],
): boolean =>
  rows.every((other, i) => i === index || other.some((value, column) => value !== row[column]));

function lawCase(
  options: RelationalDistillationOptions,
  more: Partial<StrategySubject> = {},
): StrategySubject {
  return {
    create: () => new RelationalDistillationStrategy(options),
    values: 'features',
    isRegular: isSingle,
    invariances: ['translation', 'row-order', 'column-order', 'student-scale', 'teacher-scale'],
    sumOverRows: false,
    rounding: 1e-9, // divided by distances, which may be as small as 1/32
    ...more,
  };
}

proveStrategy(RelationalDistillationStrategy, {
  'by default': lawCase({}),
  'distances alone': lawCase({ angleWeight: 0 }, { isRegular: () => true }),
  'angles alone': lawCase({ distanceWeight: 0, angleWeight: 1 }),
  'with other columns': lawCase(
    { distanceWeight: 25, angleWeight: 50 },
    {
      columns: { student: 3, teacher: 5 },
      invariances: ['translation', 'row-order', 'student-scale', 'teacher-scale'],
    },
  ),
});

// An unusable element is refused also where a tiny weight could hide it.
proveVanishing(RelationalDistillationStrategy, {
  'a vanishing weight of distances': lawCase({ distanceWeight: Number.MIN_VALUE, angleWeight: 0 }),
  'a vanishing weight of angles': lawCase({ distanceWeight: 0, angleWeight: Number.MIN_VALUE }),
});

function relational(
  distanceWeight: number,
  angleWeight: number,
): RelationalDistillationStrategy<Float64Array> {
  return new RelationalDistillationStrategy({ distanceWeight, angleWeight });
}

function expectRows(received: Matrix<Float64Array>, expected: number[][]): void {
  for (const [i, value] of expected.flat().entries()) {
    expect(received.data[i]).toBeCloseTo(value, 15);
  }
}

/** Equal distances, and angles of 60°. */
const EQUILATERAL = matrix([1, 0, 0], [0, 1, 0], [0, 0, 1]);

describe('RelationalDistillationStrategy by hand', () => {
  test('compares distances relative to their mean, which has a derivative, too', () => {
    const student = matrix([0], [1], [3]);
    // ψ = ½, 1, 3/2 of the pairs 01, 12, 02 against 1
    const { loss, gradient } = relational(1, 0).computeLossAndGradient(student, EQUILATERAL);
    expect(loss).toBeCloseTo((2 * (1 / 8 + 1 / 8)) / 9, 15);
    // By distances: 2/9 · ½ (u − (−½ · ½ + ½ · 3/2)/3) = (−2/3, −1/6, 1/3)/9
    expectRows(gradient, [[1 / 27], [-1 / 18], [1 / 54]]);
  });

  test('compares the cosines of angles', () => {
    const student = matrix([0, 0], [1, 0], [0, 1]);
    const half = Math.SQRT1_2 - 1 / 2; // at rows 1 and 2; at row 0: 0 − ½
    const { loss, gradient } = relational(0, 1).computeLossAndGradient(student, EQUILATERAL);
    expect(loss).toBeCloseTo((2 * (1 / 8 + half ** 2)) / 27, 15);
    const pull = (2 / 27) * (-1 / 2 - half * Math.SQRT1_2);
    expectRows(gradient, [
      [-pull, -pull],
      [0, pull],
      [pull, 0],
    ]);
  });

  test('changes from squared to linear at 1', () => {
    // ψ = 0, 3/2, 3/2 against 3/2, 0, 3/2: the first two differ by more than 1
    const { loss } = relational(1, 0).computeLossAndGradient(
      matrix([0], [0], [1]),
      matrix([0], [1], [1]),
    );
    expect(loss).toBeCloseTo((2 * (1 + 1)) / 9, 15);
    // The opposite angles at row 1 differ by 2; the angles at rows 0 and 2 are equal.
    expect(relational(0, 1).computeLoss(matrix([-1], [0], [1]), matrix([1], [0], [2]))).toBeCloseTo(
      (2 * (1.5 + 1.5)) / 27,
      15,
    );
  });

  test('weights distances and angles as 1 : 2 by default', () => {
    const strategy = new RelationalDistillationStrategy<Float64Array>();
    expect(strategy).toMatchObject({ distanceWeight: 1, angleWeight: 2 });
    const pair = [matrix([0, 1], [1, 0], [3, 1]), EQUILATERAL] as const;
    const [distances, angles] = [relational(1, 0), relational(0, 1)];
    expect(strategy.computeLoss(...pair)).toBeCloseTo(
      distances.computeLoss(...pair) + 2 * angles.computeLoss(...pair),
      15,
    );
  });
});

describe('RelationalDistillationStrategy of degenerate rows', () => {
  const strategy = relational(1, 2);

  test('is exactly 0 at student = teacher', () => {
    for (const rows of [
      [[0, 0]],
      [[1e4], [-1e4]],
      [
        [1, 2],
        [1, 2],
        [0, 0],
        [0, 0],
        [-1, -2],
      ],
    ]) {
      const { loss, gradient } = strategy.computeLossAndGradient(matrix(...rows), matrix(...rows));
      expect(loss).toBe(0);
      expect(gradient.data.every((value) => Math.abs(value) === 0)).toBe(true);
    }
  });

  test.each([
    ['one row', matrix([1, 2]), matrix([-3, 4])],
    ['two rows', matrix([1, 2], [4, 3]), matrix([-3, 4], [0.3, 7])],
  ])('is 0 for %s', (_, student, teacher) => {
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    expect(loss).toBe(0);
    expect(gradient.data.every((value) => Math.abs(value) === 0)).toBe(true);
  });

  test('has no direction between equal rows, and a gradient of 0', () => {
    const { loss, gradient } = strategy.computeLossAndGradient(
      matrix([1, 1], [1, 1]),
      matrix([0, 0], [0, 1]),
    );
    // ψ = 0 against 1, twice among 4; of the angles, those of a row with itself, 0 against 1, twice
    // among 8
    expect(loss).toBeCloseTo((2 * 0.5) / 4 + (2 * 2 * 0.5) / 8, 15);
    expect(gradient.data.every((value) => Math.abs(value) === 0)).toBe(true);
    const mixed = strategy.computeGradient(
      matrix([1, 1], [1, 1], [2, 0], [0, 3]),
      matrix([0, 0], [0, 1], [1, 5], [2, 2]),
    );
    expect(mixed.data.every((value) => Math.abs(value) < 1)).toBe(true);
  });

  test('treats rows that nearly coincide alike at any scale', () => {
    const teacher = matrix([0, 0], [0, 1], [2, 1]);
    const touching = (scale: number) =>
      strategy.computeLossAndGradient(matrix([0, 0], [1e-13 * scale, 0], [scale, scale]), teacher);
    const { loss, gradient } = touching(1);
    expect(gradient.data.every((value) => Math.abs(value) < 1)).toBe(true);
    for (const scale of [1e-30, 1e-6, 1e30]) {
      const scaled = touching(scale);
      expect(scaled.loss).toBeCloseTo(loss, 12);
      for (const [i, value] of gradient.data.entries()) {
        expect(scaled.gradient.data[i]! * scale).toBeCloseTo(value, 12);
      }
    }
  });

  test.each([
    ['distances', relational(1, 0)],
    ['angles', relational(0, 1)],
  ])('a NaN of a single row reaches the %s', (_, alone) => {
    const call = () => alone.computeLoss(matrix([1, Number.NaN]), matrix([0, 0]));
    expect(refusal(call)).toMatchObject({ code: 'NOT_FINITE', argument: 'student', column: 1 });
  });

  test('refuses squares that overflow, instead of returning 0', () => {
    const call = () => strategy.computeLoss(matrix([1e200], [1]), matrix([1], [1]));
    expect(refusal(call)).toMatchObject({ code: 'OVERFLOW' });
  });
});

describe('RelationalDistillationStrategy in float64', () => {
  test('keeps its precision for rows that are close to each other or far from the origin', () => {
    const [student, teacher] = [
      [
        [0, 0],
        [1, 2],
        [3, -1],
        [3, -1 + 2 ** -20],
      ],
      matrix([0, 1], [1, 3], [2, 0], [5, 5]),
    ];
    const strategy = relational(1, 2);
    const here = strategy.computeLossAndGradient(matrix(...student), teacher);
    const moved = student.map((row) => row.map((value) => value + 2 ** 20));
    const there = strategy.computeLossAndGradient(matrix(...moved), teacher);
    expect(there.loss / here.loss).toBeCloseTo(1, 8);
    const largest = Math.max(...here.gradient.data.map(Math.abs));
    for (const [i, value] of here.gradient.data.entries()) {
      expect(Math.abs(there.gradient.data[i]! - value)).toBeLessThan(1e-3 * largest);
    }
  });
});

describe('RelationalDistillationStrategy and its arguments', () => {
  test.each<[string, () => unknown, string]>([
    ['distanceWeight', () => relational(-1, 1), 'OUT_OF_RANGE'],
    ['distanceWeight', () => relational(Infinity, 1), 'OUT_OF_RANGE'],
    ['angleWeight', () => relational(1, Number.NaN), 'OUT_OF_RANGE'],
    ['angleWeight', () => relational(1, wrong('2')), 'WRONG_TYPE'],
    ['angleWeight', () => relational(0, 0), 'OUT_OF_RANGE'],
    ['options', () => new RelationalDistillationStrategy(wrong({ weight: 1 })), 'UNKNOWN_OPTION'],
  ])('refuses bad %s', (argument, call, code) => {
    expect(refusal(call)).toMatchObject({
      operation: 'RelationalDistillationStrategy',
      argument,
      code,
    });
  });

  test('refuses other rows', () => {
    const call = () => relational(1, 2).computeLoss(matrix([1]), matrix([1], [2]));
    expect(refusal(call)).toMatchObject({ code: 'SHAPE_MISMATCH', argument: 'teacher' });
  });
});

describeKernels('RelationalDistillationStrategy of a batch that kernels take', () => {
  test('has an exact gradient', () => {
    const wave = (rows: number, columns: number, step: number) =>
      Matrix.fromRows(
        Array.from({ length: rows }, (_, i) =>
          Array.from({ length: columns }, (_, j) => Math.sin(step * (i * columns + j) + 1)),
        ),
        float64,
      );
    const report = checkGradient(relational(1, 2), wave(20, 9, 0.7), wave(20, 12, 1.3));
    expect(report).toMatchObject({ passed: true, coordinates: 180 });
  });
});
