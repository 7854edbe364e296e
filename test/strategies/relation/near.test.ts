import { describe, expect, test } from 'vitest';
import {
  CorrelationCongruenceDistillationStrategy,
  type DistillationStrategyBase,
  type FloatArray,
  float64,
  Matrix,
  SimilarityDistributionDistillationStrategy,
} from '../../../src/index.js';
import { largest } from '../../../src/testing/compare.js';
import { describeKernels } from '../../support/describeKernels.js';
import { pairLosses } from '../../support/pairLosses.js';

// Compares a student close to its teacher in float32 with the same elements in float64.

const strategies = [
  ...pairLosses,
  ['gaussians of order 3', () => new CorrelationCongruenceDistillationStrategy({ order: 3 })],
  [
    'sharp distributions',
    () => new SimilarityDistributionDistillationStrategy({ similarityTemperature: 0.005 }),
  ],
  ['norms', () => new CorrelationCongruenceDistillationStrategy({ order: 1, squared: false })],
] as const;

const [ROWS, COLUMNS] = [70, 130];

/** Pseudo-random rows of length about 1. */
function pair(noise: number): [Matrix, Matrix] {
  const [student, teacher] = [Matrix.zeros(ROWS, COLUMNS), Matrix.zeros(ROWS, COLUMNS)];
  for (let i = 0; i < student.data.length; i++) {
    teacher.data[i] = Math.sin(i * i) / 8;
    student.data[i] = teacher.data[i]! + (noise * Math.cos(1.1 * i * i)) / 8;
  }
  return [student, teacher];
}

function expectGood(
  create: () => DistillationStrategyBase<FloatArray>,
  student: Matrix,
  teacher: Matrix,
): void {
  const single = create().computeLossAndGradient(student, teacher);
  const double = create().computeLossAndGradient(student.as(float64), teacher.as(float64));
  expect(Math.abs(single.loss - double.loss)).toBeLessThanOrEqual(1e-6 * double.loss);
  const exact = Array.from(double.gradient.data);
  const error = exact.map((value, k) => single.gradient.data[k]! - value);
  expect(largest(error)).toBeLessThanOrEqual(1e-6 * largest(exact));
}

describeKernels('A student close to its teacher, in float32', () => {
  describe.each(strategies)('%s', (_, create) => {
    test.each([0.7, 0.1, 1e-2, 1e-3, 1e-4])('at a distance of %d', (noise) => {
      expectGood(create, ...pair(noise));
    });

    test.each([0.1, 1e-4])('at %d, with duplicate rows', (noise) => {
      const [student, teacher] = pair(noise);
      for (const side of [student, teacher]) {
        for (const i of [3, 20, 21]) side.row(i).set(side.row(8));
      }
      teacher.row(50).set(teacher.row(60)); // on one side only
      expectGood(create, student, teacher);
    });

    test.each([0.1, 1e-4])('at %d, with rows of zeros', (noise) => {
      const [student, teacher] = pair(noise);
      for (const side of [student, teacher]) side.row(5).fill(0);
      expectGood(create, student, teacher);
      student.row(30).fill(0);
      expectGood(create, student, teacher);
      student.row(30).set(teacher.row(30));
      teacher.row(30).fill(0);
      expectGood(create, student, teacher);
    });

    test.each([1e-3, 0.1])('with one row at a distance of %d, and all others equal', (noise) => {
      const [student, teacher] = pair(0);
      student.row(17).set(pair(noise)[0].row(17));
      expectGood(create, student, teacher);
    });

    test('with an offset on every element of the student', () => {
      const [student, teacher] = pair(1e-3);
      for (let i = 0; i < student.data.length; i++) student.data[i]! += 0.125;
      expectGood(create, student, teacher);
    });

    test('with rows that are 1.25 times as long', () => {
      const [student, teacher] = pair(1e-3);
      for (let i = 0; i < student.data.length; i++) student.data[i]! *= 1.25;
      expectGood(create, student, teacher);
    });

    test('equal: loss and gradient are 0', () => {
      const [student, teacher] = pair(0);
      const { loss, gradient } = create().computeLossAndGradient(student, teacher);
      expect(loss).toBe(0);
      expect(largest(Array.from(gradient.data))).toBeLessThan(1e-9);
    });
  });
});
