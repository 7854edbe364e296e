import { describe, expect, test } from 'vitest';
import {
  compareOutputs,
  type FloatArray,
  float32,
  float64,
  IGNORE_INDEX,
  Matrix,
  type NumericTrait,
  ResponseDistillationStrategy,
  UNLABELED,
} from '../../src/index.js';
import fixture from '../fixtures/functions/compareOutputs.json' with { type: 'json' };
import { matrix } from '../support/float64Matrix.js';
import { refusal, wrong } from '../support/refusal.js';

function build<T extends FloatArray>(
  rows: readonly (readonly (number | string)[])[],
  numeric: NumericTrait<T>,
): Matrix<T> {
  return Matrix.fromRows(
    rows.map((row) => row.map(Number)),
    numeric,
  );
}

/** log p of distributions, as logits. */
function logs(...rows: number[][]): Matrix<Float64Array> {
  return matrix(...rows.map((row) => row.map(Math.log)));
}

const measures = ['accuracy', 'calibrationError'] as const;

describe('compareOutputs', () => {
  for (const { name, options, labels, result, ...sides } of fixture.cases) {
    test.each([float64, float32])(`matches Python on ${name}, in $dtype`, (numeric) => {
      const [student, teacher] = [sides.student, sides.teacher].map((rows) =>
        build<FloatArray>(rows, numeric),
      ) as [Matrix<FloatArray>, Matrix<FloatArray>];
      const indices = labels && Int32Array.from(labels);
      const comparison = compareOutputs(student, teacher, indices, options);
      const { count, labeledCount, agreement, topKOverlap, divergence } = comparison;
      expect([count, labeledCount]).toEqual([result.count, result.labeledCount]);
      expect(agreement).toBeCloseTo(result.agreement, 14);
      expect(topKOverlap).toBeCloseTo(result.topKOverlap, 14);
      expect(divergence / result.divergence).toBeCloseTo(1, 13);
      for (const measure of measures) {
        const [received, expected] = [comparison[measure], result[measure]];
        expect(received === undefined).toBe(expected === undefined);
        for (const side of ['student', 'teacher'] as const) {
          expect(received?.[side] ?? 0).toBeCloseTo(expected?.[side] ?? 0, 14);
        }
      }
    });
  }

  test('agrees with measures that were computed by hand', () => {
    const student = logs([0.5, 0.25, 0.25], [0.125, 0.125, 0.75], [0.25, 0.5, 0.25]);
    const teacher = logs([0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.5, 0.25, 0.25]);
    const comparison = compareOutputs(student, teacher, Int32Array.of(0, 1, UNLABELED), { k: 2 });
    // The rows agree, disagree, disagree. The two most likely classes are {0, 1} twice; {2, 0} and
    // {1, 0}; {1, 0} and {0, 1}.
    expect(comparison.count).toBe(3);
    expect(comparison.agreement).toBeCloseTo(1 / 3, 15);
    expect(comparison.topKOverlap).toBeCloseTo((1 + 0.5 + 1) / 3, 15);
    const divergence = 0 + 0.625 * Math.log(6) + 0.25 * Math.log(2);
    expect(comparison.divergence).toBeCloseTo(divergence / 3, 15);
    expect(comparison.labeledCount).toBe(2);
    expect(comparison.accuracy).toEqual({ student: 0.5, teacher: 1 });
    // Confidences 0.5 and 0.75 are in different bins.
    expect(comparison.calibrationError!.student).toBeCloseTo((0.5 + 0.75) / 2, 15);
    expect(comparison.calibrationError!.teacher).toBeCloseTo((0.5 + 0.25) / 2, 15);
  });

  test('counts a confidence on an edge in the lower bin, where errors cancel', () => {
    // 0.8 = 12 / 15 is the edge between the bins of 0.79 and 0.81.
    const confidences = (...values: number[]) => logs(...values.map((p) => [p, 1 - p]));
    const error = (sides: Matrix<Float64Array>, ...labels: number[]) =>
      compareOutputs(sides, sides, Int32Array.from(labels)).calibrationError!.student;
    expect(error(confidences(0.79, 0.78), 0, 1)).toBeCloseTo(Math.abs(0.21 - 0.78) / 2, 14);
    expect(error(confidences(0.79, 0.81), 0, 1)).toBeCloseTo((0.21 + 0.81) / 2, 14);
    expect(error(matrix([0, 0, 0], [0.001, 0, 0]), 0, 1)).toBeCloseTo(0.5, 2); // 1/3 = 5 / 15
    expect(error(matrix([0, 0, 0], [-0.001, 0, 0]), 0, 0)).toBeCloseTo(0.5, 2);
  });

  test("of a student with its teacher's logits is complete agreement", () => {
    const teacher = matrix([1, 4, -2, 0], [0, 0, 3, 3]);
    const same = compareOutputs(teacher.clone(), teacher);
    const expected = { count: 2, agreement: 1, topKOverlap: 1, divergence: 0, labeledCount: 0 };
    expect(same).toEqual({ ...expected, accuracy: undefined, calibrationError: undefined });
  });

  test('has the divergence of the response loss without T²', () => {
    const student = matrix([1, -2, 0.5], [0, 4, 1]);
    const teacher = matrix([3, 1, 0], [0, 1, 2]);
    for (const temperature of [1, 4]) {
      const options = { temperature, temperatureSquared: false };
      const strategy = new ResponseDistillationStrategy<Float64Array>(options);
      const { divergence } = compareOutputs(student, teacher, undefined, { temperature });
      expect(divergence).toBeCloseTo(strategy.computeLoss(student, teacher), 14);
    }
  });

  test('accepts one-hot labels', () => {
    const [student, teacher] = [matrix([2, 1, 0], [0, 0, 1]), matrix([2, 1, 0], [3, 0, 1])];
    const indices = Int32Array.of(0, 2);
    const oneHot = Matrix.oneHot(indices, 3, float64);
    expect(compareOutputs(student, teacher, oneHot)).toEqual(
      compareOutputs(student, teacher, indices),
    );
  });

  test('never reads an excluded row, and leaves an unlabelled row out of the accuracy', () => {
    const nothing = [Number.NaN, Number.NaN];
    const student = matrix([1, 0], nothing, nothing, [1, 0]);
    const teacher = matrix([1, 0], nothing, nothing, [0, 1]);
    const labels = Int32Array.of(0, 7, IGNORE_INDEX, UNLABELED);
    const mask = [1, 0, 1, 1];
    const comparison = compareOutputs(student, teacher, labels, { mask });
    expect(comparison).toMatchObject({ count: 2, agreement: 0.5, labeledCount: 1 });
    expect(comparison.accuracy).toEqual({ student: 1, teacher: 1 });
  });

  test('ranks logits whose order is lost after division by the temperature', () => {
    const [lower, upper] = [2 - 2 ** -51, 2 - 2 ** -52];
    const student = matrix([lower, upper]);
    const temperatures = Array.from({ length: 40 }, (_, i) => 1 + i / 40);
    const equal = temperatures.filter((temperature) => lower / temperature === upper / temperature);
    expect(equal).not.toEqual([]);
    for (const temperature of equal) {
      const { agreement } = compareOutputs(student, matrix([0, 1]), undefined, { temperature });
      expect(agreement).toBe(1);
    }
  });

  test('does not change its inputs', () => {
    const [student, teacher] = [matrix([2, 1, 0]), matrix([0, 1, 5])];
    const before = [student.clone(), teacher.clone()];
    compareOutputs(student, teacher, undefined, { temperature: 2 });
    expect([student, teacher]).toEqual(before);
  });
});

describe('compareOutputs refuses', () => {
  const two = matrix([1, 2, 0], [3, 4, 1]);
  const none = [two, two, undefined] as const;
  const classes = Int32Array.of(0, 1);
  const soft = matrix([0, 1, 0], [0.5, 0.5, 0]);
  const withNaN = matrix([1, 2, 0], [3, Number.NaN, 1]);
  const withInfinity = matrix([1, 2, Infinity], [3, 4, 1]);
  const ruledOut = matrix([1, 2, 0], [3, -Infinity, 1]);
  const impossible = matrix([-Infinity, -Infinity, -Infinity], [3, 4, 1]);
  const extreme = matrix([1e308, -1e308, 0]);

  test.each<[string, readonly unknown[], object]>([
    ['an array', [[[1, 2]], two], { code: 'WRONG_TYPE', argument: 'student' }],
    [
      'other classes',
      [two, matrix([1, 2], [3, 4])],
      { code: 'SHAPE_MISMATCH', argument: 'teacher' },
    ],
    ['other rows', [two, matrix([1, 2, 3])], { code: 'SHAPE_MISMATCH', argument: 'teacher' }],
    ['both formats', [two, two.as(float32)], { code: 'DTYPE_MISMATCH', argument: 'teacher' }],
    [
      'a class that is not there',
      [two, two, Int32Array.of(0, 3)],
      { code: 'OUT_OF_RANGE', argument: 'labels', row: 1 },
    ],
    [
      'too few labels',
      [two, two, Int32Array.of(0)],
      { code: 'SHAPE_MISMATCH', argument: 'labels' },
    ],
    ['labels in an array', [two, two, [0, 1]], { code: 'WRONG_TYPE', argument: 'labels' }],
    ['soft labels', [two, two, soft], { code: 'LABEL_REQUIRED', argument: 'labels', row: 1 }],
    ['no rows', [Matrix.zeros(0, 3), Matrix.zeros(0, 3)], { code: 'EMPTY', argument: 'student' }],
    ['a mask of all rows', [...none, { mask: [0, 0] }], { code: 'EMPTY', argument: 'student' }],
    [
      'a mask of weights',
      [...none, { mask: [0.5, 1] }],
      { code: 'OUT_OF_RANGE', argument: 'mask' },
    ],
    ['more of k than classes', [...none, { k: 4 }], { code: 'OUT_OF_RANGE', argument: 'k' }],
    ['half of k', [...none, { k: 1.5 }], { code: 'OUT_OF_RANGE', argument: 'k' }],
    ['k in words', [...none, { k: '2' }], { code: 'WRONG_TYPE', argument: 'k' }],
    [
      'a temperature of 0',
      [two, two, classes, { temperature: 0 }],
      { code: 'OUT_OF_RANGE', argument: 'temperature' },
    ],
    [
      'another option',
      [two, two, classes, { topK: 2 }],
      { code: 'UNKNOWN_OPTION', argument: 'options' },
    ],
    [
      'a NaN of the student',
      [withNaN, two],
      { code: 'NOT_FINITE', argument: 'student', row: 1, column: 1 },
    ],
    [
      'a NaN of the teacher',
      [two, withNaN],
      { code: 'NOT_FINITE', argument: 'teacher', row: 1, column: 1 },
    ],
    [
      'an infinity',
      [two, withInfinity],
      { code: 'NOT_FINITE', argument: 'teacher', row: 0, column: 2 },
    ],
    [
      'a class that the student alone rules out',
      [ruledOut, two],
      { code: 'RULED_OUT', argument: 'student', row: 1, column: 1 },
    ],
    [
      'a row without a possible class',
      [impossible, impossible],
      { code: 'RULED_OUT', argument: 'student', row: 0 },
    ],
    [
      'logits that overflow',
      [extreme, extreme, undefined, { temperature: 0.1 }],
      { code: 'OVERFLOW', argument: 'divergence', row: 0 },
    ],
  ])('%s', (_, call, expected) => {
    const compare = () => compareOutputs(...wrong<Parameters<typeof compareOutputs>>(call));
    expect(refusal(compare)).toMatchObject({ operation: 'compareOutputs', ...expected });
  });

  test('a class that only the teacher rules out', () => {
    expect(compareOutputs(two, ruledOut).divergence).toBeGreaterThan(0);
  });
});
