import { describe, expect, test } from 'vitest';
import { AttentionDistillationStrategy, Matrix } from '../../../src/index.js';
import type { StrategySubject } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal } from '../../support/refusal.js';
import { isNonZero } from '../_cases.js';

function lawCase(
  match: 'mse' | 'kl' | 'cosine',
  input: 'probabilities' | 'scores',
): StrategySubject {
  return {
    create: () => new AttentionDistillationStrategy({ match, input }),
    values: input === 'scores' ? 'features' : 'probabilities',
    ruledOut: input === 'scores',
    isRegular: match === 'cosine' ? isNonZero : () => true,
    invariances: [
      'row-order',
      'column-order',
      ...(match === 'kl' && input === 'scores' ? (['row-shift'] as const) : []),
      ...(match === 'cosine' && input === 'scores'
        ? (['student-scale', 'teacher-scale'] as const)
        : []),
    ],
    // Divided by the norm of a row, which may be as small as 1/32.
    ...(match === 'cosine' && { rounding: 1e-9 }),
  };
}

proveStrategy(AttentionDistillationStrategy, {
  'mse of probabilities': lawCase('mse', 'probabilities'),
  'kl of probabilities': {
    ...lawCase('kl', 'probabilities'),
    // The third derivative is −2 t / s³, so that a small probability makes the error of a
    // difference visible.
    rounding: 1e-8,
  },
  'cosine of probabilities': lawCase('cosine', 'probabilities'),
  'mse of scores': lawCase('mse', 'scores'),
  'kl of scores': lawCase('kl', 'scores'),
  'cosine of scores': lawCase('cosine', 'scores'),
});

describe('AttentionDistillationStrategy by hand', () => {
  const student = matrix([0.5, 0.5], [0.25, 0.75]);
  const teacher = matrix([1, 0], [0.25, 0.75]);

  test('mse is the mean over rows and keys of the squared difference', () => {
    const { loss, gradient } =
      new AttentionDistillationStrategy<Float64Array>().computeLossAndGradient(student, teacher);
    expect(loss).toBe((0.25 + 0.25) / 4);
    expect(gradient.toRows()).toEqual([
      [-0.25, 0.25],
      [0, 0],
    ]);
  });

  test('kl of probabilities is KL(teacher ‖ student), with gradient 1 − t/s', () => {
    const strategy = new AttentionDistillationStrategy<Float64Array>({ match: 'kl' });
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    expect(loss).toBeCloseTo(Math.LN2 / 2, 15);
    expect(gradient.toRows()).toEqual([
      [-0.5, 0.5],
      [0, 0],
    ]);
  });

  test('kl of scores is the same divergence of their softmaxes, with gradient q − p', () => {
    const strategy = new AttentionDistillationStrategy<Float64Array>({
      match: 'kl',
      input: 'scores',
    });
    const { loss, gradient } = strategy.computeLossAndGradient(
      matrix([0, 0]),
      matrix([Math.log(3), 0]),
    );
    expect(loss).toBeCloseTo(0.75 * Math.log(1.5) + 0.25 * Math.log(0.5), 15);
    expect(gradient.get(0, 1)).toBeCloseTo(0.25, 15);
  });

  test('cosine is 1 − cos of the rows', () => {
    const strategy = new AttentionDistillationStrategy<Float64Array>({
      match: 'cosine',
      input: 'scores',
    });
    expect(strategy.computeLoss(matrix([3, 0]), matrix([0, 2]))).toBeCloseTo(1, 15);
    expect(strategy.computeLoss(matrix([1, 1]), matrix([-5, -5]))).toBeCloseTo(2, 15);
    expect(strategy.computeGradient(matrix([2, 0]), matrix([0, 7])).toRows()).toEqual([[0, -0.5]]);
  });

  test.each(['mse', 'kl', 'cosine'] as const)(
    '%s: a key that is masked on both sides adds nothing',
    (match) => {
      const strategy = new AttentionDistillationStrategy<Float64Array>({ match, input: 'scores' });
      const masked = strategy.computeLossAndGradient(
        matrix([1, 2, -Infinity]),
        matrix([2, -1, -Infinity]),
      );
      const short = strategy.computeLossAndGradient(matrix([1, 2]), matrix([2, -1]));
      const share = match === 'mse' ? 2 / 3 : 1; // the mean of 'mse' is over all keys
      expect(masked.loss).toBeCloseTo(share * short.loss, 15);
      expect(masked.gradient.get(0, 0)).toBeCloseTo(share * short.gradient.get(0, 0), 15);
      expect(masked.gradient.get(0, 2)).toBe(0);
    },
  );

  test.each(['mse', 'cosine'] as const)(
    '%s: a key that is masked on one side is an error',
    (match) => {
      const strategy = new AttentionDistillationStrategy<Float64Array>({ match, input: 'scores' });
      const open = matrix([1, 2]);
      const closed = matrix([1, -Infinity]);
      expect(refusal(() => strategy.computeLoss(closed, open))).toMatchObject({
        code: 'RULED_OUT',
        argument: 'student',
        column: 1,
      });
      expect(refusal(() => strategy.computeLoss(open, closed))).toMatchObject({
        code: 'RULED_OUT',
        argument: 'teacher',
        column: 1,
      });
    },
  );

  test('kl of probabilities: zeros on both sides add nothing; a zero of the student alone is an error', () => {
    const strategy = new AttentionDistillationStrategy<Float64Array>({ match: 'kl' });
    const { loss, gradient } = strategy.computeLossAndGradient(matrix([1, 0]), matrix([1, 0]));
    expect(loss).toBe(0);
    expect(gradient.toRows()).toEqual([[0, 0]]);
    expect(refusal(() => strategy.computeLoss(matrix([1, 0]), matrix([0.5, 0.5])))).toMatchObject({
      code: 'RULED_OUT',
      argument: 'student',
      column: 1,
      message:
        'AttentionDistillationStrategy.computeLoss: student row 0, column 1 must be above 0 where the teacher is, got 0',
    });
  });

  test('kl of float32 probabilities: a slope that overflows float32 is an error', () => {
    const strategy = new AttentionDistillationStrategy({ match: 'kl' });
    const call = () =>
      strategy.computeGradient(Matrix.fromRows([[1, 1e-39]]), Matrix.fromRows([[0.5, 0.5]]));
    expect(refusal(call)).toMatchObject({ code: 'OVERFLOW', argument: 'gradient', column: 1 });
    expect(
      new AttentionDistillationStrategy<Float64Array>({ match: 'kl' }).computeLoss(
        matrix([1, 1e-39]),
        matrix([0.5, 0.5]),
      ),
    ).toBeCloseTo(0.5 * Math.log(0.5) + 0.5 * Math.log(0.5 / 1e-39), 12);
  });

  test('temperature and alpha have no effect', () => {
    const hot = new AttentionDistillationStrategy<Float64Array>({
      match: 'kl',
      temperature: 9,
      alpha: 1,
    });
    const plain = new AttentionDistillationStrategy<Float64Array>({ match: 'kl' });
    expect(hot.computeLoss(student, teacher)).toBe(plain.computeLoss(student, teacher));
  });

  test.each([
    ['above 1', [1.2, -0.2], 'NOT_A_DISTRIBUTION', 'be a probability in [0, 1]'],
    ['that sum to less than 1', [0.5, 0.4], 'NOT_A_DISTRIBUTION', 'sum to 1 (±0.001)'],
    ['that sum to more than 1', [0.9, 0.9], 'NOT_A_DISTRIBUTION', 'sum to 1 (±0.001)'],
    ['with a NaN', [Number.NaN, 1], 'NOT_FINITE', 'be a probability in [0, 1]'],
  ])('probabilities %s are refused on either side', (_, row, code, expected) => {
    const strategy = new AttentionDistillationStrategy<Float64Array>();
    const good = matrix([0.5, 0.5]);
    expect(refusal(() => strategy.computeLoss(matrix(row), good))).toMatchObject({
      code,
      argument: 'student',
      expected,
      row: 0,
    });
    expect(refusal(() => strategy.computeLoss(good, matrix(row)))).toMatchObject({
      code,
      argument: 'teacher',
      expected,
      row: 0,
    });
  });

  test("scores are refused with input: 'probabilities', and accepted with input: 'scores'", () => {
    const scores = matrix([4, -1]);
    expect(() =>
      new AttentionDistillationStrategy<Float64Array>().computeLoss(scores, scores),
    ).toThrow();
    const strategy = new AttentionDistillationStrategy<Float64Array>({ input: 'scores' });
    expect(strategy.computeLoss(scores, scores)).toBe(0);
  });
});
