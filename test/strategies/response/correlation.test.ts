import { describe, expect, test } from 'vitest';
import { CorrelationDistillationStrategy, type Matrix, UNLABELED } from '../../../src/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';

/** The logits of rows of these probabilities. */
function logits(...rows: number[][]): Matrix<Float64Array> {
  return matrix(...rows.map((row) => row.map(Math.log)));
}

function correlation(
  options?: ConstructorParameters<typeof CorrelationDistillationStrategy>[0],
): CorrelationDistillationStrategy<Float64Array> {
  return new CorrelationDistillationStrategy<Float64Array>(options);
}

const inter = correlation({ intraWeight: 0 });
const intra = correlation({ interWeight: 0 });

describe('CorrelationDistillationStrategy by hand', () => {
  test("takes what the authors' code does by default", () => {
    const { temperature, alpha, interWeight, intraWeight } = correlation();
    expect([temperature, alpha, interWeight, intraWeight]).toEqual([1, 0.5, 1, 1]);
  });

  test('inter is one minus the correlation of the classes of a row', () => {
    // Less their means q is (−1, 0, 1) / 6 and p (1, −2, 1) / 6: no correlation; or (−2, 1, 1) / 6: ½ √3.
    const student = logits([1 / 6, 2 / 6, 3 / 6]);
    expect(inter.computeLoss(student, logits([3 / 6, 0, 3 / 6]))).toBeCloseTo(1, 12);
    const { loss, gradient } = inter.computeLossAndGradient(student, logits([0, 3 / 6, 3 / 6]));
    expect(loss).toBeCloseTo(1 - Math.sqrt(3) / 2, 6);
    // −d ρ / dq = −(b̂ − ρ â) / ‖a‖, of b̂ = (−2, 1, 1) / √6, â = (−1, 0, 1) / √2 and ‖a‖ = √2 / 6: (1, −2, 1) √3 / 2
    const slope = [1, -2, 1].map((value) => (value * Math.sqrt(3)) / 2);
    const q = [1 / 6, 2 / 6, 3 / 6];
    const mean = slope.reduce((sum, value, j) => sum + value * q[j]!, 0);
    for (const [j, value] of gradient.data.entries()) {
      expect(value).toBeCloseTo(q[j]! * (slope[j]! - mean), 6);
    }
  });

  test('intra is one minus the mean over classes of the correlation of the rows', () => {
    // Down the first class (1, 2, 3) / 8 of both sides; down the second (3, 2, 1) / 8 against (3, 1, 2) / 8; the rest is 4 / 8 of
    // the student, where ρ is 0.
    const student = logits([1 / 8, 3 / 8, 4 / 8], [2 / 8, 2 / 8, 4 / 8], [3 / 8, 1 / 8, 4 / 8]);
    const teacher = logits([1 / 8, 3 / 8, 4 / 8], [2 / 8, 1 / 8, 5 / 8], [3 / 8, 2 / 8, 3 / 8]);
    expect(intra.computeLoss(student, teacher)).toBeCloseTo(1 - (1 + 0.5 + 0) / 3, 6);
  });

  test('the two add up with their weights, T² and the label of each row', () => {
    const student = matrix([1, 2, 0], [0, 1, -1], [2, 0, 1]);
    const teacher = matrix([2, 1, 0], [0, 3, 1], [1, 1, 0]);
    const options = { temperature: 2, interWeight: 0.5, intraWeight: 3, alpha: 0.25 };
    const at = (more: object): number =>
      correlation({ ...options, ...more }).computeLoss(student, teacher);
    const soft = at({});
    expect(soft).toBeCloseTo(at({ intraWeight: 0 }) + at({ interWeight: 0 }), 12);
    expect(at({ temperatureSquared: false })).toBeCloseTo(soft / 4, 12);
    const hard = correlation({ ...options, alpha: 1 });
    const labels = Int32Array.of(1, 1, 0);
    const loss = correlation(options).computeLoss(student, teacher, labels);
    expect(loss).toBeCloseTo(0.25 * hard.computeLoss(student, teacher, labels) + 0.75 * soft, 12);
  });

  test('where some rows have a label, each has its own share of the loss of all of them together', () => {
    const student = matrix([1, 2, 0], [0, 1, -1], [2, 0, 1]);
    const teacher = matrix([2, 1, 0], [0, 3, 1], [1, 1, 0]);
    const hard = correlation({ interWeight: 0, alpha: 1 });
    const together = intra.computeLossAndGradient(student, teacher);
    const labels = Int32Array.of(1, UNLABELED, UNLABELED);
    const { loss, gradient } = hard.computeLossAndGradient(student, teacher, labels);
    const one = hard.computeLossAndGradient(student, teacher, labels, { mask: [1, 0, 0] });
    expect(loss).toBeCloseTo((one.loss + 2 * together.loss) / 3, 12);
    // The labelled row is among those of the others, though none of its own loss is the teacher's.
    for (const [k, value] of gradient.data.entries()) {
      const expected = (one.gradient.data[k]! + 2 * together.gradient.data[k]!) / 3;
      expect(value).toBeCloseTo(expected, 12);
    }
  });
});

describe('CorrelationDistillationStrategy at the edges', () => {
  test('of one row, intra is 1 and has no gradient', () => {
    const { loss, gradient } = intra.computeLossAndGradient(matrix([1, 2, 0]), matrix([0, 5, 1]));
    expect(loss).toBe(1);
    expect(gradient.data.every((value) => value === 0)).toBe(true);
  });

  test('is next to nothing at student = teacher, and just what the 1e-8 leaves', () => {
    const side = matrix([1, 2, 0], [0, 1, -1], [2, 0, 1]);
    expect(correlation().computeLoss(side, side.clone())).toBeLessThan(1e-6);
    // q less its mean is ±1e-5 / 4: ‖a‖² = 2 (1e-5 / 4)² = 1.25e-11
    const faint = matrix([1e-5, 0]);
    expect(inter.computeLoss(faint, faint.clone())).toBeCloseTo(1e-8 / (1.25e-11 + 1e-8), 8);
  });

  test('of equal rows, and of equal logits, is finite', () => {
    const equal = matrix([1, 2, 0.3], [1, 2, 0.3], [1, 2, 0.3]);
    const flat = matrix([0.1, 0.1, 0.1], [0.7, 0.7, 0.7], [0, 0, 0]);
    for (const [student, teacher] of [
      [equal, flat],
      [flat, equal],
      [equal, equal],
      [flat, flat],
    ] as const) {
      const { loss, gradient } = intra.computeLossAndGradient(student, teacher);
      expect(loss).toBeCloseTo(1, 12);
      expect(gradient.data.every((value) => value === 0)).toBe(true);
      const rows = inter.computeLossAndGradient(student, teacher);
      expect(rows.gradient.data.every(Number.isFinite)).toBe(true);
    }
  });

  test('either side may rule classes out', () => {
    const some = matrix([0, -Infinity, 1], [2, 0, -Infinity]);
    const all = matrix([0, 1, 2], [1, 0, 1]);
    for (const [student, teacher] of [
      [some, all],
      [all, some],
    ] as const) {
      const { loss, gradient } = correlation().computeLossAndGradient(student, teacher);
      expect(loss).toBeGreaterThan(0);
      expect(gradient.data.every(Number.isFinite)).toBe(true);
    }
  });
});

describe('CorrelationDistillationStrategy refuses', () => {
  test.each<[string, string, () => unknown]>([
    ['interWeight', 'OUT_OF_RANGE', () => correlation({ interWeight: -1 })],
    ['intraWeight', 'OUT_OF_RANGE', () => correlation({ intraWeight: Number.NaN })],
    ['intraWeight', 'WRONG_TYPE', () => correlation({ intraWeight: wrong('1') })],
    ['options', 'UNKNOWN_OPTION', () => correlation(wrong({ beta: 1 }))],
  ])('bad %s: %s', (argument, code, call) => {
    const operation = 'CorrelationDistillationStrategy';
    expect(refusal(call)).toMatchObject({ operation, argument, code });
  });

  test('a teacher that is not finite, if it was read', () => {
    const student = matrix([1, 2], [3, 4]);
    const teacher = matrix([Number.NaN, 0], [1, 2]);
    const hard = correlation({ alpha: 1 });
    const place = { code: 'NOT_FINITE', argument: 'teacher', row: 0, column: 0 };
    // Of two labels nobody reads the teacher; of one, that of both rows is read.
    expect(hard.computeLoss(student, teacher, Int32Array.of(0, 1))).toBeGreaterThan(0);
    const call = () => hard.computeGradient(student, teacher, Int32Array.of(0, UNLABELED));
    expect(refusal(call)).toMatchObject(place);
    expect(refusal(() => correlation().computeLoss(student, teacher))).toMatchObject(place);
  });
});
