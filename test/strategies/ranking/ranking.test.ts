import { describe, expect, test } from 'vitest';
import { Matrix, RankingDistillationStrategy } from '../../../src/index.js';
import { assertGradient, type StrategySubject } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { describeKernels } from '../../support/describeKernels.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';

/** Above 0 at student = teacher, unless all candidates are equal or their leads are large. */
function lawCase(
  options: ConstructorParameters<typeof RankingDistillationStrategy>[0],
): StrategySubject {
  return {
    create: () => new RankingDistillationStrategy(options),
    values: 'features',
    ruledOut: true,
    reachesMinimum: false,
    invariances: ['row-shift', 'row-order', 'column-order', 'teacher-scale'],
  };
}

proveStrategy(RankingDistillationStrategy, {
  logistic: lawCase({}),
  hinge: lawCase({ pairLoss: 'hinge' }),
  'hinge, margin 0.3': lawCase({ pairLoss: 'hinge', margin: 0.3 }),
});

const none = -Infinity;

function ranking(
  options: ConstructorParameters<typeof RankingDistillationStrategy>[0] = {},
): RankingDistillationStrategy<Float64Array> {
  return new RankingDistillationStrategy(options);
}

const hinge = (margin?: number) => ranking({ pairLoss: 'hinge', margin });

/** Rows with fewer and fewer candidates, in any order on either side. */
function raggedScores(columns: number, phase: number): number[][] {
  return [0, 1, 2].map((row) =>
    Array.from({ length: columns }, (_, j) =>
      (j + row) % (row + 3) === 1 ? none : Math.round(64 * Math.sin(7 * j + 3 * row + phase)) / 16,
    ),
  );
}

describeKernels('RankingDistillationStrategy by hand', () => {
  test('logistic: the mean over pairs of log(1 + e^−lead)', () => {
    const { loss, gradient } = ranking().computeLossAndGradient(
      matrix([Math.log(3), 0, 0]),
      matrix([7, -1, -2]),
    );
    // The first candidate leads both others by log 3, and the lead of the second over the third is
    // 0.
    expect(loss).toBeCloseTo((2 * Math.log(4 / 3) + Math.log(2)) / 3, 15);
    const expected = [-2 / 4, 1 / 4 - 1 / 2, 1 / 4 + 1 / 2];
    for (const [column, slope] of expected.entries()) {
      expect(gradient.get(0, column)).toBeCloseTo(slope / 3, 15);
    }
  });

  test('hinge: the mean over pairs of the shortfall of the lead from the margin', () => {
    const { loss, gradient } = hinge(2).computeLossAndGradient(
      matrix([3, 1, 2, 0], [0, 1, 2, 3]),
      matrix([3, 2, 1, 0], [5, 5, 5, 0]),
    );
    // Leads of 2, 1, 3, −1, 1 and 2; of −3, −2 and −1. A lead of exactly the margin has no
    // derivative.
    expect(loss).toBe(((1 + 3 + 1) / 6 + (5 + 4 + 3) / 3) / 2);
    expect(gradient.toRows()).toEqual([
      [-1 / 12, -2 / 12, 2 / 12, 1 / 12],
      [-1 / 6, -1 / 6, -1 / 6, 3 / 6],
    ]);
  });

  test.each([
    ['logistic', ranking()],
    ['hinge', hinge()],
  ])('%s: only the order of the teacher has an effect', (_, strategy) => {
    const student = matrix([0.3, -1, 2, 0.5]);
    const near = strategy.computeLossAndGradient(student, matrix([1, 0.999, 0.5, 1 + 1e-15]));
    const far = strategy.computeLossAndGradient(student, matrix([1e300, -4, -1e300, 1.7e308]));
    expect(near).toEqual(far);
  });

  test.each([
    ['logistic', ranking()],
    ['hinge', hinge()],
  ])('%s: missing candidates have no effect', (_, strategy) => {
    for (const columns of [5, 37]) {
      const [scores, target] = [raggedScores(columns, 0), raggedScores(columns, 1)];
      const all = strategy.computeLossAndGradient(matrix(...scores), matrix(...target));
      const isThere = scores.map((row) => row.map((score) => score !== none));
      const present = (rows: number[][], row: number) =>
        rows[row]!.filter((_, column) => isThere[row]![column]);
      let loss = 0;
      for (let row = 0; row < 3; row++) {
        const alone = strategy.computeLossAndGradient(
          matrix(present(scores, row)),
          matrix(present(target, row)),
        );
        loss += alone.loss / 3;
        const slopes = present(all.gradient.toRows(), row);
        for (const [column, slope] of slopes.entries()) {
          expect(slope).toBeCloseTo(alone.gradient.get(0, column) / 3, 14);
        }
        const missing = all.gradient.toRows()[row]!.filter((_, column) => !isThere[row]![column]);
        expect(missing.every((slope) => slope === 0)).toBe(true);
      }
      expect(all.loss).toBeCloseTo(loss, 14);
    }
  });

  test.each([
    ['logistic', ranking()],
    ['hinge', hinge(0.7)],
  ])(
    '%s: the gradient of rows of different lengths is exact, also for wide rows',
    (_, strategy) => {
      assertGradient(strategy, matrix(...raggedScores(37, 0)), matrix(...raggedScores(37, 1)));
    },
  );

  test('a row without a pair has loss 0, and counts as a row', () => {
    const { loss, gradient, count } = hinge().computeLossAndGradient(
      matrix([1, 2, 3], [5, none, none], [none, none, none], [0, 2, none]),
      matrix([4, 4, 4], [0, none, none], [none, none, none], [1, 0, none]),
    );
    expect([loss, count]).toEqual([3 / 4, 4]);
    expect(gradient.toRows()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
      [-1 / 4, 1 / 4, 0],
    ]);
  });

  test('a pair that is far in order keeps its precision', () => {
    const strategy = new RankingDistillationStrategy();
    for (const columns of [2, 20]) {
      const rowOf = (first: number): Matrix => {
        const row = new Array<number>(columns).fill(none);
        return Matrix.fromRows([[first, 0, ...row.slice(2)]]);
      };
      for (const lead of [20, 40, 80]) {
        const { loss, gradient } = strategy.computeLossAndGradient(rowOf(lead), rowOf(1));
        expect(loss / Math.log1p(Math.exp(-lead))).toBeCloseTo(1, 5);
        expect(gradient.get(0, 1) / Math.exp(-lead)).toBeCloseTo(1, 5);
        const reversed = strategy.computeLossAndGradient(rowOf(lead), rowOf(-1));
        expect(reversed.loss / lead).toBeCloseTo(1, 7);
        expect(reversed.gradient.get(0, 0)).toBe(1);
      }
    }
  });

  test('a lead that overflows the dtype is an error', () => {
    const student = matrix([-1.7e308, 1.7e308]);
    expect(refusal(() => ranking().computeLoss(student, matrix([1, 0])))).toMatchObject({
      code: 'OVERFLOW',
    });
    expect(ranking().computeLoss(student, matrix([0, 1]))).toBe(0);
    const single = new RankingDistillationStrategy();
    const wide = (first: number): Matrix =>
      Matrix.fromRows([[first, -first, ...new Array(18).fill(none)]]);
    expect(single.computeLoss(wide(-3e38), wide(1))).toBe(2 * Math.fround(3e38));
  });

  test.each([
    ['the student alone', 'student', 1],
    ['the teacher alone', 'teacher', 0],
  ] as const)('refuses −Infinity of %s, with a hint that works', (_, side, column) => {
    const call = { student: matrix([1, 2, 3], [1, 2, 3]), teacher: matrix([2, 1, 0], [2, 1, 0]) };
    call[side].set(1, column, none);
    const run = () => ranking().computeGradient(call.student, call.teacher);
    const other = side === 'student' ? 'teacher' : 'student';
    expect(refusal(run)).toMatchObject({
      code: 'RULED_OUT',
      argument: side,
      row: 1,
      column,
      message: `RankingDistillationStrategy.computeGradient: ${side} row 1, column ${column} must be above -Infinity where the ${other} is, got -Infinity; give both sides -Infinity where there is no candidate`,
    });
    call[other].set(1, column, none);
    expect(run).not.toThrow();
  });
});

describe('RankingDistillationStrategy', () => {
  test('is logistic by default', () => {
    expect(ranking()).toMatchObject({ pairLoss: 'logistic', margin: 1 });
  });

  test('refuses one column, which has no pair', () => {
    expect(refusal(() => ranking().computeLoss(matrix([1]), matrix([1])))).toMatchObject({
      code: 'OUT_OF_RANGE',
      argument: 'student',
      expected: 'have at least 2 columns',
    });
  });

  test.each<[string, () => unknown, string]>([
    ['pairLoss', () => ranking({ pairLoss: wrong('square') }), 'OUT_OF_RANGE'],
    ['pairLoss', () => ranking({ pairLoss: wrong(2) }), 'WRONG_TYPE'],
    ['margin', () => hinge(0), 'OUT_OF_RANGE'],
    ['margin', () => hinge(Infinity), 'OUT_OF_RANGE'],
    ['margin', () => ranking({ margin: 1 }), 'MISPLACED_OPTION'],
    ['options', () => ranking(wrong({ loss: 'hinge' })), 'UNKNOWN_OPTION'],
  ])('refuses bad %s', (argument, call, code) => {
    expect(refusal(call)).toMatchObject({
      operation: 'RankingDistillationStrategy',
      argument,
      code,
    });
  });
});
