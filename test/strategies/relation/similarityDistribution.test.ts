import { describe, expect, test } from 'vitest';
import { Matrix, SimilarityDistributionDistillationStrategy } from '../../../src/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { isNonZero } from '../_cases.js';

const common = {
  values: 'features',
  isRegular: isNonZero,
  sumOverRows: false,
  rounding: 1e-9, // divided by norms and by a temperature of 0.05
} as const;

proveStrategy(SimilarityDistributionDistillationStrategy, {
  'by default': {
    ...common,
    create: () => new SimilarityDistributionDistillationStrategy(),
    invariances: ['row-order', 'column-order', 'student-scale', 'teacher-scale'],
  },
  'with other columns, at 0.5': {
    ...common,
    create: () => new SimilarityDistributionDistillationStrategy({ similarityTemperature: 0.5 }),
    columns: { student: 3, teacher: 5 },
    invariances: ['row-order', 'student-scale', 'teacher-scale'],
  },
  'from a teacher of another temperature': {
    ...common,
    create: () =>
      new SimilarityDistributionDistillationStrategy({ teacherSimilarityTemperature: 0.1 }),
    reachesMinimum: false,
    invariances: ['row-order', 'column-order', 'student-scale', 'teacher-scale'],
  },
});

type Options = ConstructorParameters<
  typeof SimilarityDistributionDistillationStrategy<Float64Array>
>[0];

function distribution(options: Options): SimilarityDistributionDistillationStrategy<Float64Array> {
  return new SimilarityDistributionDistillationStrategy(options);
}

/** The first two rows are parallel; the third is orthogonal to both. */
const corner = matrix([1, 0], [2, 0], [0, 3]);
/** Each row is at 60° to both others. */
const even = matrix([1, 1, 0], [0, 1, 1], [1, 0, 1]);

describe('SimilarityDistributionDistillationStrategy by hand', () => {
  test("compares each row's softmax of similarities to the others", () => {
    const { loss, gradient } = distribution({ similarityTemperature: 1 }).computeLossAndGradient(
      corner,
      even,
    );
    // Rows 1 and 2: p = ½, ½ against q = σ(1), σ(−1); row 3: ½, ½ against ½, ½.
    const q = 1 / (1 + Math.exp(-1));
    expect(loss).toBeCloseTo((2 / 3) * 0.5 * (Math.log(0.5 / q) + Math.log(0.5 / (1 - q))), 15);
    // By the cosine of rows 1 and 3 the slope is (½ − q) / 3; row 3 has length 3, and moves along
    // both others.
    const slope = (0.5 - q) / 3;
    const expected = [0, slope, 0, slope / 2, (2 * slope) / 3, 0];
    for (const [i, value] of gradient.data.entries()) expect(value).toBeCloseTo(expected[i]!, 15);
  });

  test('has a temperature for each side', () => {
    const options = { similarityTemperature: 2, teacherSimilarityTemperature: 0.5 };
    const loss = distribution(options).computeLoss(even, corner);
    // Rows 1 and 2: p = σ(2), σ(−2) against ½, ½; row 3 sees two at right angles.
    const p = 1 / (1 + Math.exp(-2));
    const entropy = -p * Math.log(p) - (1 - p) * Math.log(1 - p);
    expect(loss).toBeCloseTo((2 / 3) * (Math.log(2) - entropy), 15);
  });

  test('has temperatures of 0.05 by default', () => {
    const { similarityTemperature, teacherSimilarityTemperature } = distribution({});
    expect([similarityTemperature, teacherSimilarityTemperature]).toEqual([0.05, 0.05]);
    expect(distribution({ similarityTemperature: 0.2 }).teacherSimilarityTemperature).toBe(0.2);
    // q is 1 and e^−20 to 9 digits: KL = ½ ln(½) + ½ (ln(½) + 20), and the two ends are even.
    const loss = distribution({}).computeLoss(corner, even);
    expect(loss).toBeCloseTo((2 / 3) * (10 + Math.log(0.5) + Math.log1p(Math.exp(-20))), 12);
  });

  test('does not use the temperature of logits', () => {
    const loss = distribution({ temperature: 4 }).computeLoss(corner, even);
    expect(loss).toBe(distribution({}).computeLoss(corner, even));
  });

  test('keeps the precision of a small loss at a low temperature', () => {
    const strategy = distribution({
      similarityTemperature: 0.01,
      teacherSimilarityTemperature: 1e-3,
    });
    // p is 1, 0 in rows 1 and 2: −log q = log(1 + e^−100)
    expect(strategy.computeLoss(corner, corner) / ((2 / 3) * Math.exp(-100))).toBeCloseTo(1, 12);
  });

  test('does not overflow where similarities over the temperature would', () => {
    const strategy = distribution({ similarityTemperature: 1e-4 });
    const turned = matrix([1, 0], [0, 1], [0, 2]);
    const loss = strategy.computeLoss(turned, corner);
    // Row 1: p = 1, 0 against ½, ½. Row 2: 1, 0 against e^−10000, 1. Row 3: ½, ½ against e^−10000,
    // 1.
    expect(loss).toBeCloseTo((Math.log(2) + 1e4 + (5e3 - Math.log(2))) / 3, 9);
  });

  test.each([
    ['a row alone', matrix([1, 2]), matrix([-3, 1, 0])],
    ['two rows', matrix([1, 2], [3, -1]), matrix([-3, 1, 0], [0, 1, 5])],
  ])('is 0 for %s, with a gradient of 0', (_, student, teacher) => {
    const { loss, gradient } = distribution({}).computeLossAndGradient(student, teacher);
    expect(loss).toBe(0);
    expect(gradient.data.every((value) => value === 0)).toBe(true);
  });

  test('gives a row of zeros the same similarity to all others, and a gradient of 0', () => {
    const student = matrix([0, 0], [1, 0], [0, 1]);
    const strategy = distribution({ similarityTemperature: 1 });
    const { loss, gradient } = strategy.computeLossAndGradient(student, corner);
    // All cosines of the student are 0: q = ½, ½ against p = σ(1), σ(−1) in two rows.
    const p = 1 / (1 + Math.exp(-1));
    const entropy = -p * Math.log(p) - (1 - p) * Math.log(1 - p);
    expect(loss).toBeCloseTo((2 / 3) * (Math.log(2) - entropy), 15);
    expect(Array.from(gradient.row(0))).toEqual([0, 0]);
    expect(Math.abs(gradient.get(1, 1))).toBeGreaterThan(0.01);
  });

  test('is 0 at student = teacher, degenerate rows included', () => {
    const rows = [
      [1, 2],
      [1, 2],
      [0, 0],
      [-1, -2],
      [1e4, 1],
    ];
    const { loss, gradient } = distribution({}).computeLossAndGradient(
      matrix(...rows),
      matrix(...rows),
    );
    expect(loss).toBe(0);
    expect(gradient.data.every((value) => value === 0)).toBe(true);
  });

  test('compares with the kept rows only', () => {
    const hole = [Number.NaN, 0];
    const student = matrix([1, 2], hole, [0, 1], [3, 1]);
    const teacher = matrix([1, 0], hole, [1, 1], [1, -1]);
    const masked = distribution({}).computeLoss(student, teacher, undefined, {
      mask: [1, 0, 1, 1],
    });
    const kept = distribution({}).computeLoss(
      matrix([1, 2], [0, 1], [3, 1]),
      matrix([1, 0], [1, 1], [1, -1]),
    );
    expect(masked).toBe(kept);
  });
});

describe('SimilarityDistributionDistillationStrategy refuses', () => {
  test.each(['similarityTemperature', 'teacherSimilarityTemperature'])(
    'a %s that is not above 0',
    (option) => {
      for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
        const call = () => distribution(wrong({ [option]: value }));
        expect(refusal(call)).toMatchObject({ code: 'OUT_OF_RANGE', argument: option });
      }
      const call = () => distribution(wrong({ [option]: '0.1' }));
      expect(refusal(call)).toMatchObject({ code: 'WRONG_TYPE', argument: option });
    },
  );

  test('options that it does not have', () => {
    const call = () => distribution(wrong({ contrastTemperature: 0.1 }));
    expect(refusal(call)).toMatchObject({ code: 'UNKNOWN_OPTION' });
  });

  test('other rows, by name', () => {
    const call = () => distribution({}).computeLoss(matrix([1, 2]), matrix([1, 2], [3, 4]));
    expect(refusal(call)).toMatchObject({ code: 'SHAPE_MISMATCH', argument: 'teacher' });
  });

  test.each([
    ['student', matrix([1, 2], [Number.NaN, 0], [1, 0]), matrix([1], [2], [3])],
    ['teacher', matrix([1], [2], [3]), matrix([1, 2], [Number.POSITIVE_INFINITY, 0], [1, 0])],
    ['student', matrix([1, 2], [Number.NaN, 0]), matrix([1], [2])],
  ])('a %s that is not finite', (argument, student, teacher) => {
    const place = { code: 'NOT_FINITE', argument, row: 1, column: 0 };
    expect(refusal(() => distribution({}).computeGradient(student, teacher))).toMatchObject(place);
  });

  test('a single row that is not finite', () => {
    const call = () =>
      new SimilarityDistributionDistillationStrategy().computeLoss(
        Matrix.fromRows([[Number.NaN]]),
        Matrix.fromRows([[1]]),
      );
    expect(refusal(call)).toMatchObject({ code: 'NOT_FINITE', argument: 'student', row: 0 });
  });
});
