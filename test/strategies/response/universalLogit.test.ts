import { describe, expect, test } from 'vitest';
import { type Matrix, UniversalLogitDistillationStrategy } from '../../../src/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';

/** The logits of these probabilities. */
function logits(...probabilities: number[]): Matrix<Float64Array> {
  return matrix(probabilities.map(Math.log));
}

function close(values: Iterable<number>, expected: readonly number[]): void {
  const rest = [...expected];
  for (const value of values) expect(value).toBeCloseTo(rest.shift()!, 14);
  expect(rest).toEqual([]);
}

const strategy = new UniversalLogitDistillationStrategy<Float64Array>();

describe('UniversalLogitDistillationStrategy by hand', () => {
  test('is at temperature 1 with alpha 0.4, which is CE + 1.5 of the paper by 2.5', () => {
    expect([strategy.temperature, strategy.alpha]).toEqual([1, 0.4]);
    const student = logits(0.5, 0.25, 0.25);
    const teacher = logits(0.25, 0.75);
    const loss = strategy.computeLoss(student, teacher, Int32Array.of(1));
    // 0.75 − 0.5, 0.25 − 0.25, 0.25
    expect(2.5 * loss).toBeCloseTo(Math.log(4) + 1.5 * 0.5, 14);
  });

  test('compares the largest with the largest, and what is beyond the smaller vocabulary with 0', () => {
    const student = logits(0.1, 0.6, 0.3);
    const teacher = logits(0.15, 0.05, 0.45, 0.15, 0.2);
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    // |0.6 − 0.45| + |0.3 − 0.2| + |0.1 − 0.15| + 0.15 + 0.05
    expect(loss).toBeCloseTo(0.5, 14);
    // q (sign − Σ q sign), Σ q sign = 0.6 + 0.3 − 0.1 = 0.8
    close(gradient.data, [0.1 * -1.8, 0.6 * 0.2, 0.3 * 0.2]);
    expect(strategy.computeLoss(teacher, student)).toBeCloseTo(0.5, 14);
  });

  test('a student with more classes unlearns the last of them', () => {
    const { loss, gradient } = strategy.computeLossAndGradient(logits(0.2, 0.7, 0.1), logits(1));
    expect(loss).toBeCloseTo(0.6, 14);
    close(gradient.data, [0.2 * 1.4, 0.7 * -0.6, 0.1 * 1.4]); // Σ q sign = −0.4
  });

  test('does not see which class is which: 0, and a gradient of 0, for any order', () => {
    const student = matrix([0.3, -1, 2.5, 0.1]);
    const teacher = matrix([2.5, 0.1, 0.3, -1]);
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    expect(loss).toBe(0);
    expect([...gradient.data]).toEqual([0, 0, 0, 0]);
  });

  test('equal logits share their derivative', () => {
    const { gradient } = strategy.computeLossAndGradient(
      logits(0.25, 0.25, 0.25, 0.25),
      logits(0.4, 0.3, 0.2, 0.1),
    );
    expect([...gradient.data]).toEqual([0, 0, 0, 0]); // two have a sign of −1, two of 1
    const three = strategy.computeGradient(logits(0.25, 0.5, 0.25), logits(0.4, 0.35, 0.25));
    // q sign: 0.5, −0.25 and 0 for the two that are equal; Σ 0.25
    close(three.data, [-0.125 - 0.0625, 0.5 - 0.125, -0.125 - 0.0625]);
  });
});

describe('UniversalLogitDistillationStrategy at the edges', () => {
  test('either side may rule classes out', () => {
    const some = matrix([0, -Infinity, 0]);
    expect(strategy.computeLoss(some, matrix([0, 0]))).toBe(0);
    expect(strategy.computeLoss(matrix([0, 0]), some)).toBe(0);
    expect(strategy.computeLoss(matrix([0]), some)).toBe(1);
    expect([...strategy.computeGradient(some, matrix([0, 1])).data]).toContain(0);
  });

  test('does not write to the teacher, whose rows are sorted', () => {
    const teacher = matrix([1, 3, 2], [0, -1, 4]);
    strategy.computeGradient(matrix([1, 2], [3, 4]), teacher);
    expect(teacher.toRows()).toEqual([
      [1, 3, 2],
      [0, -1, 4],
    ]);
  });

  test('standardizes each side over its own classes', () => {
    const standardized = new UniversalLogitDistillationStrategy<Float64Array>({
      standardizeLogits: true,
    });
    const student = matrix([1, 2, 3]); // −1, 0, 1
    const teacher = matrix([-7, -7, 5, 5]); // ±√3 / 2
    const at = strategy.computeLoss(
      matrix([-1, 0, 1]),
      matrix([1, 1, -1, -1].map((z) => z * Math.sqrt(0.75))),
    );
    expect(standardized.computeLoss(student, teacher)).toBeCloseTo(at, 6);
  });
});

describe('UniversalLogitDistillationStrategy refuses', () => {
  test('labels that are no class of the student, though one of the teacher', () => {
    const call = () => strategy.computeLoss(matrix([1, 2]), matrix([1, 2, 3]), Int32Array.of(2));
    expect(refusal(call)).toMatchObject({ code: 'OUT_OF_RANGE', argument: 'labels', row: 0 });
  });

  test('other rows', () => {
    const call = () => strategy.computeLoss(matrix([1, 2]), matrix([1, 2], [3, 4]));
    expect(refusal(call)).toMatchObject({ code: 'SHAPE_MISMATCH', argument: 'teacher' });
  });

  test.each([
    ['student', matrix([Number.NaN, 1]), matrix([1, 2, 3]), 'NOT_FINITE', 0],
    ['teacher', matrix([0, 1]), matrix([1, Infinity, 3]), 'NOT_FINITE', 1],
    ['teacher', matrix([0, 1]), matrix([-Infinity, -Infinity, -Infinity]), 'RULED_OUT', undefined],
    ['student', matrix([-Infinity, -Infinity]), matrix([0, 1, 2]), 'RULED_OUT', undefined],
  ])('a %s of no distribution', (argument, student, teacher, code, column) => {
    const thrown = refusal(() => strategy.computeGradient(student, teacher));
    expect(thrown).toMatchObject({
      code,
      argument,
      row: 0,
      ...(column !== undefined && { column }),
    });
  });

  test('options that it does not have', () => {
    const call = () => new UniversalLogitDistillationStrategy(wrong({ lambda: 1.5 }));
    expect(refusal(call)).toMatchObject({ code: 'UNKNOWN_OPTION' });
  });
});
