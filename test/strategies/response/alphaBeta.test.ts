import { expect, test } from 'vitest';
import {
  AlphaBetaDistillationStrategy,
  type FloatArray,
  float32,
  float64,
  kernelInfo,
  Matrix,
  type NumericTrait,
  selectKernel,
} from '../../../src/index.js';
import { proveStrategy } from '../../prove/index.js';
import { describeKernels } from '../../support/describeKernels.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { COLDER, divergence, standardized } from './_cases.js';

proveStrategy(AlphaBetaDistillationStrategy, {
  'by default': divergence(() => new AlphaBetaDistillationStrategy()),
  'powers 0.8 and 0.3, T = 0.5, alpha = 0.9': divergence(
    () =>
      new AlphaBetaDistillationStrategy({
        teacherPower: 0.8,
        studentPower: 0.3,
        temperature: 0.5,
        alpha: 0.9,
      }),
  ),
  'powers 1 and 2, T = 20, without T²': divergence(
    () =>
      new AlphaBetaDistillationStrategy({
        teacherPower: 1,
        studentPower: 2,
        temperature: 20,
        temperatureSquared: false,
      }),
  ),
  'powers 0 and 0.6': divergence(
    () => new AlphaBetaDistillationStrategy({ teacherPower: 0, studentPower: 0.6 }),
  ),
  'powers 1.5 and 0': divergence(
    () => new AlphaBetaDistillationStrategy({ teacherPower: 1.5, studentPower: 0 }),
  ),
  'powers 1e-9 and 1': divergence(
    () =>
      new AlphaBetaDistillationStrategy({
        teacherPower: 1e-9,
        studentPower: 1,
        temperature: 1,
      }),
  ),
  'powers 0 and 0': divergence(
    () => new AlphaBetaDistillationStrategy({ teacherPower: 0, studentPower: 0 }),
  ),
  standardized: standardized(() => new AlphaBetaDistillationStrategy({ standardizeLogits: true })),
  'a colder teacher': divergence(() => new AlphaBetaDistillationStrategy(COLDER), {
    reachesMinimum: false,
  }),
});

// p = softmax([ln 3, 0]) = [3/4, 1/4], q = softmax([0, 0]) = [1/2, 1/2]
const teacher = matrix([Math.log(3), 0]);
const student = matrix([0, 0]);

type Options = ConstructorParameters<typeof AlphaBetaDistillationStrategy>[0];

function alphaBeta<T extends FloatArray = Float64Array>(
  teacherPower: number,
  studentPower: number,
  options: Options = {},
): AlphaBetaDistillationStrategy<T> {
  return new AlphaBetaDistillationStrategy({
    teacherPower,
    studentPower,
    temperature: 1,
    ...options,
  });
}

describeKernels('AlphaBetaDistillationStrategy by hand', () => {
  test('with the powers 1 and 1 is ½ Σ (p − q)²', () => {
    const { loss, gradient } = alphaBeta(1, 1).computeLossAndGradient(student, teacher);
    expect(loss).toBeCloseTo(1 / 16, 15);
    // q (h − Σ q h), h = q − p = [−1/4, 1/4]
    expect(gradient.get(0, 0)).toBeCloseTo(-1 / 8, 15);
    expect(gradient.get(0, 1)).toBeCloseTo(1 / 8, 15);
  });

  test('with the powers ½ and ½ is 2 Σ (√p − √q)²', () => {
    const { loss, gradient } = alphaBeta(0.5, 0.5).computeLossAndGradient(student, teacher);
    const common = Math.sqrt(3 / 8) + Math.sqrt(1 / 8);
    expect(loss).toBeCloseTo(4 * (1 - common), 14);
    // h = 2 (1 − √(p / q)) = 2 [1 − √(3/2), 1 − √(1/2)]
    expect(gradient.get(0, 0)).toBeCloseTo(0.5 * (Math.sqrt(1 / 2) - Math.sqrt(3 / 2)), 14);
  });

  test('with the powers 2 and 1 uses the square of p', () => {
    const { loss, gradient } = alphaBeta(2, 1).computeLossAndGradient(student, teacher);
    // −½ [Σ p² q − ⅔ Σ p³ − ⅓ Σ q³] = −½ [5/16 − ⅔ · 28/64 − ⅓ · 1/4]
    expect(loss).toBeCloseTo(1 / 32, 15);
    // h = (q² − p²) / 2 = [−5/32, 3/32]
    expect(gradient.get(0, 0)).toBeCloseTo(-1 / 16, 15);
  });

  test('has the powers 0.2 and 0.7 by default', () => {
    const plain = new AlphaBetaDistillationStrategy<Float64Array>({ temperature: 1 });
    const powers = (a: number, b: number) =>
      [0.75, 0.25].reduce((sum, p) => sum + p ** a * 0.5 ** b, 0);
    const expected = (2 / 9) * powers(0.9, 0) + (7 / 9) * powers(0, 0.9) - powers(0.2, 0.7);
    expect([plain.teacherPower, plain.studentPower]).toEqual([0.2, 0.7]);
    expect(plain.computeLoss(student, teacher)).toBeCloseTo(expected / 0.14, 14);
  });

  test('is unchanged if sides and powers are exchanged', () => {
    const loss = alphaBeta(0.3, 1.1).computeLoss(student, teacher);
    expect(alphaBeta(1.1, 0.3).computeLoss(teacher, student)).toBeCloseTo(loss, 15);
  });
});

describeKernels('AlphaBetaDistillationStrategy at its limits', () => {
  test('with the powers 1 and 0 is KL(p ‖ q), with 0 and 1 KL(q ‖ p)', () => {
    const [forward, reverse] = [alphaBeta(1, 0), alphaBeta(0, 1)].map((strategy) =>
      strategy.computeLossAndGradient(student, teacher),
    );
    expect(forward!.loss).toBeCloseTo(0.75 * Math.log(3 / 2) - 0.25 * Math.LN2, 15);
    expect(forward!.gradient.get(0, 0)).toBeCloseTo(-1 / 4, 15);
    expect(reverse!.loss).toBeCloseTo(0.5 * Math.log(4 / 3), 15);
    expect(reverse!.gradient.get(0, 0)).toBeCloseTo(-Math.log(3) / 4, 15);
  });

  test('with the powers 2 and 0, and 0 and 2, divides by the power twice', () => {
    const { loss, gradient } = alphaBeta(2, 0).computeLossAndGradient(student, teacher);
    // ¼ Σ [p² ln (p² / q²) − p² + q²]
    const logs = (9 / 16) * Math.log(9 / 4) - (1 / 16) * Math.log(4);
    expect(loss).toBeCloseTo((logs - 1 / 8) / 4, 15);
    // slopes (q² − p²) / 2 = [−5/32, 3/32]
    expect(gradient.get(0, 0)).toBeCloseTo(-1 / 8, 15);
    const other = alphaBeta(0, 2).computeLossAndGradient(student, teacher);
    // ¼ Σ [q² ln (q² / p²) − q² + p²]; slopes q² ln (q / p)
    expect(other.loss).toBeCloseTo((Math.log(4 / 3) / 2 + 1 / 8) / 4, 15);
    expect(other.gradient.get(0, 0)).toBeCloseTo(-Math.log(3) / 8, 15);
  });

  test('with the powers 0 and 0 is ½ Σ (ln p − ln q)²', () => {
    const { loss, gradient } = alphaBeta(0, 0).computeLossAndGradient(student, teacher);
    const [first, second] = [Math.log(3 / 2), Math.LN2];
    expect(loss).toBeCloseTo((first ** 2 + second ** 2) / 2, 15);
    expect(gradient.get(0, 0)).toBeCloseTo(-(first + second) / 2, 15);
  });

  test.each([1e-10, 1e-17, 1e-300])('converges to them: a power of %d', (power) => {
    for (const [a, b] of [
      [1, power],
      [0.4, power],
      [power, 1],
      [power, 0.4],
      [power, power],
      [power, power / 2],
    ] as const) {
      const atLimit = alphaBeta(a > power ? a : 0, b > power ? b : 0);
      for (const far of [0.01, 1, 40]) {
        const other = matrix([0.3, -0.2, 0.1], [far, 0, -far]);
        const row = matrix([0, 0.4, 0], [0, 0.5 * far, far]);
        const limit = atLimit.computeLossAndGradient(row, other);
        const { loss, gradient } = alphaBeta(a, b).computeLossAndGradient(row, other);
        expect(loss / limit.loss).toBeCloseTo(1, 7);
        const scale = Math.max(...limit.gradient.data.map(Math.abs));
        for (const [i, value] of limit.gradient.data.entries()) {
          expect(Math.abs(gradient.data[i]! - value)).toBeLessThan(1e-7 * scale);
        }
      }
    }
  });
});

const PAIRS = [
  [0.2, 0.7],
  [0.8, 0.3],
  [1.5, 0.5],
  [0, 0.6],
  [1.3, 0],
  [1e-9, 1],
  [1, 1e-9],
  [0, 0],
] as const;

/** Rows of 37 columns that are exact in float32, at this distance from each other. */
function pairOf(distance: number): [Matrix<Float64Array>, Matrix<Float64Array>] {
  const side = (own: number) =>
    Matrix.fromRows(
      [0, 1, 2].map((row) =>
        Array.from({ length: 37 }, (_, j) => {
          const common = 3 * Math.sin(12.9898 * (37 * row + j));
          return Math.fround(common + own * Math.sin(78.233 * (37 * row + j)));
        }),
      ),
      float64,
    );
  return [side(distance), side(0)];
}

describeKernels('AlphaBetaDistillationStrategy of many classes', () => {
  test.each(PAIRS)('is ½ Σ p^(a + b) (ln q − ln p)² close to the teacher: %d, %d', (a, b) => {
    const [row, other] = pairOf(2 ** -20);
    const { loss, gradient } = alphaBeta(a, b).computeLossAndGradient(row, other);
    let expected = 0;
    const expectedGradient: number[] = [];
    for (let i = 0; i < 3; i++) {
      const differences = row.row(i).map((value, j) => value - other.row(i)[j]!);
      const sum = other.row(i).reduce((total, value) => total + Math.exp(value), 0);
      const p = other.row(i).map((value) => Math.exp(value) / sum);
      // log Σ p e^difference, to the second order
      const mean = differences.reduce((total, value, j) => total + p[j]! * value, 0);
      const square = differences.reduce((total, value, j) => total + p[j]! * value * value, 0);
      const x = differences.map((value) => value - mean - (square - mean * mean) / 2);
      const slopes = x.map((value, j) => p[j]! ** (a + b) * value * (1 + (b + a / 2) * value));
      const slopeSum = slopes.reduce((total, value) => total + value, 0);
      for (const [j, value] of x.entries()) {
        expected += 0.5 * p[j]! ** (a + b) * value * value;
        expectedGradient.push((slopes[j]! - p[j]! * Math.exp(value) * slopeSum) / 3);
      }
    }
    expect(loss / (expected / 3)).toBeCloseTo(1, 5);
    const scale = Math.max(...expectedGradient.map(Math.abs));
    for (const [i, value] of expectedGradient.entries()) {
      expect(Math.abs(gradient.data[i]! - value)).toBeLessThan(1e-8 * scale);
    }
  });

  const numerics: NumericTrait<FloatArray>[] = [float32, float64];
  test.each(numerics)('agrees with JavaScript in float64, in $dtype', (numeric) => {
    const { kernel } = kernelInfo();
    const worst = { loss: 0, gradient: 0 };
    for (const [a, b] of PAIRS) {
      for (const temperature of [1, 2.5]) {
        for (const distance of [2 ** -10, 0.25, 1, 8, 60]) {
          const pair = pairOf(distance);
          const [row, other] = pair.map((side) => side.as(numeric));
          selectKernel('scalar');
          const expected = alphaBeta(a, b, { temperature }).computeLossAndGradient(...pair);
          selectKernel(kernel);
          const strategy = alphaBeta<FloatArray>(a, b, { temperature });
          const { loss, gradient } = strategy.computeLossAndGradient(row!, other!);
          worst.loss = Math.max(worst.loss, Math.abs(loss / expected.loss - 1));
          for (let i = 0; i < 3; i++) {
            const exact = expected.gradient.row(i);
            const errors = exact.map((value, j) => Math.abs(gradient.get(i, j) - value));
            const error = Math.max(...errors) / Math.max(...exact.map(Math.abs));
            worst.gradient = Math.max(worst.gradient, error);
          }
        }
      }
    }
    // In float64, the error is JavaScript's: the rounding of the logarithms that it subtracts.
    const tolerance = numeric.dtype === 'float32' ? 2e-6 : 1e-11;
    expect(worst.loss).toBeLessThan(tolerance);
    expect(worst.gradient).toBeLessThan(tolerance);
  });
});

describeKernels('AlphaBetaDistillationStrategy at the edges', () => {
  /** [0, low, …, low]: all classes but the first are equal. */
  const sure = (low: number, columns: number) => matrix([0, ...Array(columns - 1).fill(low)]);

  test.each([2, 20])('is finite if one side rules a class out, of %d classes', (columns) => {
    const [all, one] = [sure(0, columns), sure(-Infinity, columns)];
    const share = 1 / columns;
    const strategy = alphaBeta(0.4, 0.5);
    // −5 [share^0.4 − 4/9 Σ p^0.9 − 5/9], and the same with the sides exchanged.
    const sum = columns * share ** 0.9;
    const ofStudent = strategy.computeLossAndGradient(one, all);
    expect(ofStudent.loss / (-5 * (share ** 0.4 - (4 / 9) * sum - 5 / 9))).toBeCloseTo(1, 14);
    expect(ofStudent.gradient.data.every((value) => value === 0)).toBe(true);
    const ofTeacher = strategy.computeLossAndGradient(all, one);
    expect(ofTeacher.loss / (-5 * (share ** 0.5 - 4 / 9 - (5 / 9) * sum))).toBeCloseTo(1, 14);
    // Slopes (q^0.9 − p^0.4 q^0.5) / 0.4: of the class of the teacher q^0.5 / 0.4 less than of any
    // other.
    const gradient = (share * share ** 0.5) / 0.4;
    expect(ofTeacher.gradient.get(0, 1)).toBeCloseTo(gradient, 14);
    expect(ofTeacher.gradient.get(0, 0)).toBeCloseTo(-(columns - 1) * gradient, 14);
  });

  test('reaches its bound for two sides that are certain of different classes', () => {
    const [first, second] = [matrix([0, -Infinity]), matrix([-Infinity, 0])];
    expect(alphaBeta(0.4, 0.5).computeLoss(first, second)).toBeCloseTo(5, 14);
    expect(alphaBeta(2, 1).computeLoss(first, second)).toBeCloseTo(0.5, 14);
    const far = alphaBeta(0.4, 0.5).computeLoss(matrix([1e4, -1e4]), matrix([-1e4, 1e4]));
    expect(far).toBeCloseTo(5, 14);
  });

  test.each([2, 20])(
    'refuses a class that only one side rules out if the power of this side is 0: %d',
    (columns) => {
      const [all, one] = [sure(0, columns), sure(-Infinity, columns)];
      const ofStudent = { code: 'RULED_OUT', argument: 'student', row: 0, column: 1 };
      const ofTeacher = { ...ofStudent, argument: 'teacher' };
      for (const power of [0.5, 1]) {
        expect(refusal(() => alphaBeta(power, 0).computeLoss(one, all))).toMatchObject(ofStudent);
        expect(refusal(() => alphaBeta(0, power).computeLoss(all, one))).toMatchObject(ofTeacher);
        // With the only class of `one`, (power ln columns − 1 + columns^(1 − power)) / power²
        const sum = power * Math.log(columns) - 1 + columns ** (1 - power);
        const loss = sum / power ** 2;
        expect(alphaBeta(power, 0).computeLoss(all, one)).toBeCloseTo(loss, 13);
        expect(alphaBeta(0, power).computeLoss(one, all)).toBeCloseTo(loss, 13);
      }
      expect(refusal(() => alphaBeta(0, 0).computeLoss(one, all))).toMatchObject(ofStudent);
      expect(refusal(() => alphaBeta(0, 0).computeLoss(all, one))).toMatchObject(ofTeacher);
      for (const [a, b] of PAIRS) {
        const { loss, gradient } = alphaBeta(a, b).computeLossAndGradient(one, one.clone());
        expect([loss, ...gradient.data]).toEqual(Array(columns + 1).fill(0));
      }
    },
  );

  test('refuses a label that the student rules out', () => {
    const call = () =>
      alphaBeta(0.4, 0.5).computeLoss(matrix([0, -Infinity]), matrix([0, 0]), Int32Array.of(1));
    const expected = { code: 'RULED_OUT', argument: 'student', row: 0, column: 1 };
    expect(refusal(call)).toMatchObject(expected);
  });
});

test.each<[string, object, string]>([
  ['teacherPower', { teacherPower: -0.1 }, 'OUT_OF_RANGE'],
  ['teacherPower', { teacherPower: Number.NaN }, 'OUT_OF_RANGE'],
  ['teacherPower', { teacherPower: '0.2' }, 'WRONG_TYPE'],
  ['studentPower', { studentPower: -1e-9 }, 'OUT_OF_RANGE'],
  ['studentPower', { studentPower: Infinity }, 'OUT_OF_RANGE'],
  ['studentPower', { studentPower: null }, 'WRONG_TYPE'],
  ['options', { beta: 0.1 }, 'UNKNOWN_OPTION'],
  ['tail', { tail: 'cut' }, 'OUT_OF_RANGE'],
])('AlphaBetaDistillationStrategy refuses %s in %j', (argument, options, code) => {
  const operation = 'AlphaBetaDistillationStrategy';
  const create = () => new AlphaBetaDistillationStrategy(wrong<Options>(options));
  expect(refusal(create)).toMatchObject({ operation, argument, code });
});
