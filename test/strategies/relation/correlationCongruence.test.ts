import { describe, expect, test } from 'vitest';
import { CorrelationCongruenceDistillationStrategy, Matrix } from '../../../src/index.js';
import type { StrategySubject } from '../../../src/testing/index.js';
import { proveStrategy, proveVanishing } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';

function lawCase(
  options: ConstructorParameters<typeof CorrelationCongruenceDistillationStrategy>[0],
  more: Partial<StrategySubject> = {},
): StrategySubject {
  return {
    create: () => new CorrelationCongruenceDistillationStrategy(options),
    values: 'features',
    // At student = teacher, the loss is of the fourth order in an element of 0, which is too flat
    // for differences.
    isRegular: (row) => row.every((value) => value !== 0),
    sumOverRows: false,
    invariances: ['row-order', 'column-order'],
    ...more,
  };
}

proveStrategy(CorrelationCongruenceDistillationStrategy, {
  'by default': lawCase({}),
  'gamma 0.1, order 1': lawCase({ gamma: 0.1, order: 1 }),
  'with other columns': lawCase(
    {},
    { columns: { student: 2, teacher: 4 }, invariances: ['row-order'] },
  ),
  bilinear: lawCase({ form: 'bilinear' }),
  // With equal columns, some teachers are so close that differences step over the corner at a norm
  // of 0.
  'gaussian, not squared': lawCase({ squared: false }, { columns: { student: 3, teacher: 4 } }),
  'bilinear, not squared': lawCase(
    { form: 'bilinear', squared: false },
    { columns: { student: 4, teacher: 2 } },
  ),
  consecutive: lawCase({ form: 'consecutive' }), // the order may be reversed
});

// An unusable element is refused also where a tiny weight could hide it.
proveVanishing(CorrelationCongruenceDistillationStrategy, {
  'a vanishing gamma': lawCase({ gamma: Number.MIN_VALUE }),
});

function congruence(
  options?: ConstructorParameters<typeof CorrelationCongruenceDistillationStrategy>[0],
): CorrelationCongruenceDistillationStrategy<Float64Array> {
  return new CorrelationCongruenceDistillationStrategy<Float64Array>(options);
}

describe('CorrelationCongruenceDistillationStrategy by hand', () => {
  const student = matrix([1, 0], [0, 1]);
  const teacher = matrix([1, 0, 0], [1, 0, 0]);

  test("has the defaults of the paper: 'gaussian' with γ = 0.4 up to the second power, squared", () => {
    const { form, gamma, order, squared } = congruence();
    expect({ form, gamma, order, squared }).toEqual({
      form: 'gaussian',
      gamma: 0.4,
      order: 2,
      squared: true,
    });
  });

  test("'bilinear' compares the products of rows", () => {
    // [[1, 0], [0, 1]] against [[1, 1], [1, 1]]: 2 of 4 elements differ by 1
    const { loss, gradient } = congruence({ form: 'bilinear' }).computeLossAndGradient(
      student,
      teacher,
    );
    expect(loss).toBeCloseTo(0.5, 15);
    // d/dx₁ of 2 (x₁ · x₂ − 1)² / 4 is (x₁ · x₂ − 1) x₂
    expect(gradient.toRows()).toEqual([
      [0, -1],
      [-1, 0],
    ]);
  });

  test("'gaussian' compares its expansion: K = e^(−2γ) (1 + 2γ c + ½ (2γ c)²)", () => {
    const { loss, gradient } = congruence({ gamma: 0.5 }).computeLossAndGradient(student, teacher);
    const unit = Math.exp(-1);
    expect(loss).toBeCloseTo((2 * (1.5 * unit) ** 2) / 4, 15); // c = 0 against c = 1: 1 against 2.5
    // as above, with K − K' = −1.5/e for x₁ · x₂ − 1, and dK/dc = 1/e at c = 0
    expect(gradient.get(0, 1)).toBeCloseTo(-1.5 * unit * unit, 15);
    expect(gradient.get(0, 0)).toBe(0);
  });

  test("'gaussian' converges to exp(−γ ‖x − y‖²) of unit rows", () => {
    const rows = matrix([0.6, 0.8], [1, 0], [-0.8, 0.6]);
    const far = congruence({ gamma: 0.7, order: 40 }).computeLoss(rows, matrix([0], [0], [0]));
    let sum = 0;
    for (const x of rows.toRows()) {
      for (const y of rows.toRows()) {
        const distance = x.reduce((total, value, j) => total + (value - y[j]!) ** 2, 0);
        sum += (Math.exp(-0.7 * distance) - Math.exp(-1.4)) ** 2;
      }
    }
    expect(far).toBeCloseTo(sum / 9, 14);
  });

  test('without the square it is the norm over B², with a gradient of 0 at equal products', () => {
    const strategy = congruence({ form: 'bilinear', squared: false });
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    expect(loss).toBeCloseTo(Math.SQRT2 / 4, 15);
    expect(gradient.get(0, 1)).toBeCloseTo(-2 / Math.SQRT2 / 4, 15);
    // A rotation has the same products.
    const equal = strategy.computeLossAndGradient(student, matrix([0, 1], [-1, 0]));
    expect(equal.loss).toBe(0);
    expect(equal.gradient.data.every((value) => value === 0)).toBe(true);
  });

  test("'consecutive' multiplies the errors of neighbouring rows, and is 0 where one is 0", () => {
    const strategy = congruence({ form: 'consecutive' });
    const zeros = matrix([0, 0], [0, 0], [0, 0]);
    const rows = matrix([1, -2], [-3, 0], [2, 5]);
    const { loss, gradient } = strategy.computeLossAndGradient(rows, zeros);
    expect(loss).toBe((1 * 3 + 2 * 0 + (3 * 2 + 0 * 5)) / 2);
    expect(gradient.toRows()).toEqual([
      [1.5, 0],
      [-1.5, 0],
      [1.5, 0],
    ]);
  });

  test("'consecutive' depends on the order of the kept rows", () => {
    const strategy = congruence({ form: 'consecutive' });
    const zeros = matrix([0], [0], [0]);
    const rows = matrix([1], [0], [2]);
    expect(strategy.computeLoss(rows, zeros)).toBe(0);
    expect(strategy.computeLoss(rows, zeros, undefined, { mask: [1, 0, 1] })).toBe(2);
    expect(strategy.computeLoss(matrix([1]), matrix([0]))).toBe(0);
  });
});

describe('CorrelationCongruenceDistillationStrategy refuses', () => {
  test.each<[string, string, () => unknown]>([
    ['form', 'OUT_OF_RANGE', () => congruence({ form: wrong('rbf') })],
    ['gamma', 'OUT_OF_RANGE', () => congruence({ gamma: 0 })],
    ['order', 'OUT_OF_RANGE', () => congruence({ order: 0 })],
    ['order', 'OUT_OF_RANGE', () => congruence({ order: 1.5 })],
    ['squared', 'WRONG_TYPE', () => congruence({ squared: wrong(1) })],
    ['gamma', 'MISPLACED_OPTION', () => congruence({ form: 'bilinear', gamma: 1 })],
    ['order', 'MISPLACED_OPTION', () => congruence({ form: 'consecutive', order: 1 })],
    ['squared', 'MISPLACED_OPTION', () => congruence({ form: 'consecutive', squared: true })],
    ['options', 'UNKNOWN_OPTION', () => congruence(wrong({ normalize: true }))],
  ])('bad %s: %s', (argument, code, call) => {
    const operation = 'CorrelationCongruenceDistillationStrategy';
    expect(refusal(call)).toMatchObject({ operation, argument, code });
  });

  test("other columns for 'consecutive' only", () => {
    const [student, teacher] = [matrix([1, 2], [3, 4]), matrix([1], [2])];
    expect(congruence().computeLoss(student, teacher)).toBeGreaterThan(0);
    const call = () => congruence({ form: 'consecutive' }).computeLoss(student, teacher);
    expect(refusal(call)).toMatchObject({ code: 'SHAPE_MISMATCH', argument: 'teacher' });
  });

  test('a gradient that overflows float32', () => {
    const strategy = new CorrelationCongruenceDistillationStrategy({ order: 4 });
    const call = () => strategy.computeGradient(Matrix.fromRows([[1e5]]), Matrix.fromRows([[0]]));
    expect(refusal(call)).toMatchObject({ code: 'OVERFLOW', argument: 'gradient' });
  });
});
