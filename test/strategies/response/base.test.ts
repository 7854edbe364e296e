import { describe, expect, test } from 'vitest';
import {
  CorrelationDistillationStrategy,
  type DistributionRow,
  DivergenceDistillationStrategyBase,
  type FloatArray,
  float32,
  float64,
  IGNORE_INDEX,
  LogitMSEDistillationStrategy,
  Matrix,
  ResponseDistillationStrategy,
  ReverseKLDistillationStrategy,
  TotalVariationDistillationStrategy,
  UNLABELED,
} from '../../../src/index.js';
import { describeKernels } from '../../support/describeKernels.js';
import { exportedDivergences } from '../../support/exportedStrategies.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';

// Properties of the base class of all response losses: labels, T², standardized logits, and
// refusals.

const strategies = { ...exportedDivergences(), LogitMSEDistillationStrategy };

const student = matrix([0.5, -1, 2], [1, 0, 0]);
const teacher = matrix([1.5, 0.25, -1], [-2, 0, 3]);

describe.each(Object.entries(strategies))('%s', (name, Strategy) => {
  test('has temperature 3, alpha 0.3 and T² by default', () => {
    const options = {
      temperature: 3,
      alpha: 0.3,
      temperatureSquared: true,
      standardizeLogits: false,
    };
    const labels = Int32Array.of(2, UNLABELED);
    const plain = new Strategy<Float64Array>().computeLossAndGradient(student, teacher, labels);
    const said = new Strategy<Float64Array>(options);
    expect(said.computeLossAndGradient(student, teacher, labels)).toEqual(plain);
  });

  test('divides both sides by T, and multiplies by T² unless the option is off', () => {
    const at1 = new Strategy<Float64Array>({ temperature: 1 });
    const divided = at1.computeLossAndGradient(
      matrix([0.25, -0.5, 1], [0.5, 0, 0]),
      matrix([0.75, 0.125, -0.5], [-1, 0, 1.5]),
    );
    for (const [temperatureSquared, factor] of [
      [true, 4],
      [false, 1],
    ] as const) {
      const at2 = new Strategy<Float64Array>({ temperature: 2, temperatureSquared });
      const { loss, gradient } = at2.computeLossAndGradient(student, teacher);
      expect(loss).toBeCloseTo(factor * divided.loss, 13);
      expect(gradient.get(0, 2)).toBeCloseTo((factor / 2) * divided.gradient.get(0, 2), 13);
    }
  });

  test('is α · CE + (1 − α) · soft with a label, and soft without one', () => {
    const strategy = new Strategy<Float64Array>({ temperature: 2, alpha: 0.25 });
    const [labeled, other] = [matrix([Math.log(3), 0]), matrix([0, 1])];
    const soft = strategy.computeLoss(labeled, other);
    const loss = strategy.computeLoss(labeled, other, Int32Array.of(1));
    expect(loss).toBeCloseTo(0.25 * Math.log(4) + 0.75 * soft, 13);
    expect(strategy.computeLoss(labeled, other, Int32Array.of(UNLABELED))).toBe(soft);
    const oneHot = Matrix.oneHot([1], 2, float64);
    expect(strategy.computeLoss(labeled, other, oneHot)).toBe(loss);
    const soft2 = strategy.computeLoss(labeled, other, matrix([0.5, 0.5]));
    const crossEntropy = 0.5 * Math.log(4) + 0.5 * Math.log(4 / 3);
    expect(soft2).toBeCloseTo(0.25 * crossEntropy + 0.75 * soft, 13);
  });

  test('does not read an ignored row', () => {
    const strategy = new Strategy<Float64Array>({ alpha: 0 });
    const nan = matrix([Number.NaN, 0, 0], [1, 0, 0]);
    const { loss, gradient, count } = strategy.computeLossAndGradient(
      nan,
      teacher,
      Int32Array.of(IGNORE_INDEX, 0),
    );
    expect(count).toBe(1);
    expect(loss).toBeCloseTo(strategy.computeLoss(matrix([1, 0, 0]), matrix([-2, 0, 3])), 13);
    expect(gradient.toRows()[0]).toEqual([0, 0, 0]);
  });

  test('is 0 if student and teacher are equal, ties and large logits included', () => {
    const same = matrix([1e4, -1e4, 0], [2, 2, 2], [0.1, 0.3, 0.7]);
    for (const standardizeLogits of [false, true]) {
      const strategy = new Strategy<Float64Array>({ temperature: 0.05, standardizeLogits });
      const { loss, gradient } = strategy.computeLossAndGradient(same, same.clone());
      expect(loss).toBe(0);
      expect(gradient.data.every((value) => value === 0)).toBe(true);
    }
  });

  test('standardizes logits as (z − mean) / deviation', () => {
    const standardized = new Strategy<Float64Array>({ temperature: 2, standardizeLogits: true });
    // Means 2 and 0, sample deviations 2 and 10.
    const loss = standardized.computeLoss(matrix([0, 2, 4]), matrix([10, -10, 0]));
    const plain = new Strategy<Float64Array>({ temperature: 2 });
    const expected = plain.computeLoss(matrix([-1, 0, 1]), matrix([1, -1, 0]));
    // for the 1e-7 that is added to the deviation
    expect(Math.abs(loss / expected - 1)).toBeLessThan(1e-6);
    const labels = Int32Array.of(0);
    const [raw, other] = [matrix([Math.log(2), 0]), matrix([0, 1])];
    const soft = standardized.computeLoss(raw, other);
    const hard = 0.3 * Math.log(3 / 2); // of the original logits
    expect(standardized.computeLoss(raw, other, labels)).toBeCloseTo(hard + 0.7 * soft, 13);
  });

  test('with standardized logits, does not depend on the scale of either side', () => {
    const standardized = new Strategy<Float64Array>({ standardizeLogits: true });
    const loss = standardized.computeLoss(student, teacher);
    const [wide, high] = [student.clone(), teacher.clone()];
    for (let i = 0; i < wide.data.length; i++) {
      wide.data[i]! = wide.data[i]! * 50 + 3;
      high.data[i]! = high.data[i]! * 0.5 - 8;
    }
    expect(Math.abs(standardized.computeLoss(wide, high) / loss - 1)).toBeLessThan(1e-5);
  });

  test('with standardized logits, is 0 for constant rows of any size', () => {
    const standardized = new Strategy<Float64Array>({ standardizeLogits: true });
    const constant = (value: number) => matrix(Array(17).fill(value));
    expect(standardized.computeLoss(constant(1e4 / 3), constant(0.1))).toBeLessThan(1e-20);
  });

  test('with standardized logits, has an exact gradient beside a large constant', () => {
    const row = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2].map((x) => x * 2 ** -30);
    const other = matrix(row.map((_, j) => Math.sin(j)));
    const standardized = new Strategy<Float64Array>({ standardizeLogits: true });
    const { gradient } = standardized.computeLossAndGradient(matrix(row), other);
    const high = standardized.computeGradient(matrix(row.map((x) => x + 2 ** 13)), other);
    const scale = Math.max(...gradient.data.map(Math.abs));
    for (const [j, value] of gradient.data.entries()) {
      expect(Math.abs(high.data[j]! - value)).toBeLessThan(1e-9 * scale);
    }
  });

  test('does not name a teacher that it has not read in an error about a NaN', () => {
    for (const standardizeLogits of [false, true]) {
      const hard = new Strategy<Float64Array>({ standardizeLogits, alpha: 1 });
      const unread = matrix([Number.NaN, 0, 0], [1, 2, 3]);
      const nan = matrix([1, 2, 3], [0, Number.NaN, 0]);
      const call = () => hard.computeLoss(nan, unread, Int32Array.of(0, UNLABELED));
      expect(refusal(call)).toMatchObject({ argument: 'student', row: 1, column: 1 });
    }
  });

  test('with standardized logits, refuses a class that is ruled out', () => {
    const standardized = new Strategy<Float64Array>({ standardizeLogits: true });
    const call = () => standardized.computeLoss(matrix([0, -Infinity]), matrix([0, -Infinity]));
    expect(refusal(call)).toMatchObject({ code: 'NOT_FINITE', argument: 'student', column: 1 });
  });

  test.each<[string, object, string]>([
    ['temperature', { temperature: 0 }, 'OUT_OF_RANGE'],
    ['alpha', { alpha: 1.5 }, 'OUT_OF_RANGE'],
    ['temperatureSquared', { temperatureSquared: 1 }, 'WRONG_TYPE'],
    ['standardizeLogits', { standardizeLogits: 'yes' }, 'WRONG_TYPE'],
    ['options', { temprature: 2 }, 'UNKNOWN_OPTION'],
  ])('refuses %s in %j', (argument, options, code) => {
    const create = () => new Strategy(wrong<object>(options));
    expect(refusal(create)).toMatchObject({ operation: name, argument, code });
  });

  test('refuses a NaN, another shape, and invalid labels', () => {
    const strategy = new Strategy<Float64Array>();
    const operation = `${name}.computeGradient`;
    const nan = matrix([0, 1, 2], [0, Number.NaN, 1]);
    expect(refusal(() => strategy.computeGradient(student, nan))).toMatchObject({
      operation,
      code: 'NOT_FINITE',
      argument: 'teacher',
      row: 1,
      column: 1,
    });
    const narrow = matrix([0, 1], [2, 3]);
    expect(refusal(() => strategy.computeGradient(student, narrow))).toMatchObject({
      operation,
      code: 'SHAPE_MISMATCH',
      argument: 'teacher',
    });
    const beyond = Int32Array.of(0, 3);
    expect(refusal(() => strategy.computeGradient(student, teacher, beyond))).toMatchObject({
      code: 'OUT_OF_RANGE',
    });
    const half = matrix([0.5, 0, 0], [1, 0, 0]);
    expect(refusal(() => strategy.computeGradient(student, teacher, half))).toMatchObject({
      code: 'NOT_A_DISTRIBUTION',
    });
  });
});

describe('A student that is nearly certain of a class', () => {
  const student = matrix([40, 0, 1], [36, 1, 0], [44, 0, 1]);
  const teacher = matrix([3, 0, 1], [1, 2, 0], [2, 0, 1]);
  const options = { temperature: 1, alpha: 0 };

  // Differences of 1e-50 with 120 digits.
  test.each([
    [
      'total variation',
      new TotalVariationDistillationStrategy<Float64Array>(options),
      [5.265526e-18, -1.416118e-18, -3.849408e-18],
      [9.644148e-20, -2.593711e-20, -7.050437e-20],
    ],
    [
      'reverse divergence',
      new ReverseKLDistillationStrategy<Float64Array>(options),
      [1.948245e-16, -5.239637e-17, -1.424281e-16],
      [4.050542e-18, -1.089359e-18, -2.961183e-18],
    ],
    [
      'correlation of classes',
      new CorrelationDistillationStrategy<Float64Array>({ ...options, interWeight: 0 }),
      [-1.818202e-10, 6.839243e-11, 1.134278e-10],
      [-5.632863e-13, 6.649829e-13, -1.016966e-13],
    ],
  ])('has a gradient by that class, too: %s', (_, strategy, first, last) => {
    const rows = strategy.computeGradient(student, teacher).toRows();
    for (const [row, exact] of [
      [rows[0]!, first],
      [rows[2]!, last],
    ] as const) {
      for (const [j, value] of exact.entries()) expect(row[j]! / value).toBeCloseTo(1, 5);
    }
  });
});

describeKernels("A user's divergence that calls the library", () => {
  test('has the loss and the gradient of a divergence that does not', () => {
    const inner = new ResponseDistillationStrategy<Float64Array>();
    const wide = Matrix.zeros(300, 3000, float64); // makes the memory of the kernels grow
    let calls = 0;
    class Nested extends DivergenceDistillationStrategyBase<Float64Array> {
      protected override divergence({ p, q, logP, logQ, slope }: DistributionRow): number {
        let loss = 0;
        for (let j = 0; j < p.length; j++) {
          loss += p[j]! * (logP[j]! - logQ[j]!);
          slope[j] = q[j]! - p[j]!;
        }
        if (calls++ === 1) inner.computeLoss(wide, wide.clone());
        return loss;
      }
    }
    const student = Matrix.fromRows(
      [
        [1, 2, 0.5],
        [0, -1, 2],
        [3, 1, 1],
      ],
      float64,
    );
    const teacher = Matrix.fromRows(
      [
        [2, 1, 0],
        [1, 1, 0],
        [0, 2, 1],
      ],
      float64,
    );
    const labels = Int32Array.of(0, 1, 2);
    const expected = inner.computeLossAndGradient(student, teacher, labels);
    const { loss, gradient } = new Nested().computeLossAndGradient(student, teacher, labels);
    expect(loss).toBeCloseTo(expected.loss, 13);
    gradient.data.forEach((value, i) => {
      expect(value).toBeCloseTo(expected.gradient.data[i]!, 13);
    });
  });
});

describeKernels('Labels of many classes', () => {
  const columns = 37;
  const even = Array<number>(columns).fill(1 / columns);
  const evenBut = (column: number, value: number): number[] =>
    even.map((share, j) => (j === column ? value : share));
  const strategy = new ResponseDistillationStrategy();
  const loss = (labels: number[][], mask?: number[]): number => {
    const logits = Matrix.fromRows(labels.map((_, i) => even.map((_, j) => Math.sin(i + j))));
    return strategy.computeLoss(logits, logits.clone(), Matrix.fromRows(labels), { mask });
  };

  test.each([
    ['negative', evenBut(36, -1e-9), 'NOT_A_DISTRIBUTION', 36],
    ['negative, in the middle', evenBut(18, -1e-9), 'NOT_A_DISTRIBUTION', 18],
    ['not a number', evenBut(3, Number.NaN), 'NOT_FINITE', 3],
    ['infinite', evenBut(3, Number.POSITIVE_INFINITY), 'NOT_FINITE', 3],
    ['too much in all', evenBut(3, 1 / columns + 0.0011), 'NOT_A_DISTRIBUTION', undefined],
    ['too little in all', evenBut(3, 1 / columns - 0.0011), 'NOT_A_DISTRIBUTION', undefined],
  ])('that are %s are refused, unless they are masked', (_, wrongRow, code, column) => {
    const error = refusal(() => loss([even, wrongRow]));
    expect(error).toMatchObject({ code, argument: 'labels', row: 1 });
    expect(error.column).toBe(column);
    expect(loss([even, wrongRow], [1, 0])).toBe(loss([even]));
  });

  test('may miss a sum of 1 by a thousandth', () => {
    for (const by of [9e-4, -9e-4]) expect(loss([evenBut(3, 1 / columns + by)])).toBeGreaterThan(0);
  });
});

describeKernels("A user's divergence that calls itself", () => {
  test('has the loss of a divergence that does not', () => {
    const student = matrix([1, 2, 0.5], [0, -1, 2]);
    const teacher = matrix([2, 1, 0], [1, 1, 0]);
    const labels = Int32Array.of(0, 1);
    let depth = 0;
    class Recursive extends DivergenceDistillationStrategyBase<Float64Array> {
      protected override divergence({ q, logQ, slope }: DistributionRow): number {
        let loss = 0;
        for (let j = 0; j < q.length; j++) {
          loss += q[j]! * logQ[j]!;
          slope[j] = q[j]! * (logQ[j]! + 1);
        }
        if (depth === 0) {
          depth++;
          // The same number of rows with other tables.
          this.computeLoss(teacher, student, Int32Array.of(2, UNLABELED));
          depth--;
        }
        return loss;
      }
    }
    const nested = new Recursive().computeLossAndGradient(student, teacher, labels);
    depth = 1;
    const alone = new Recursive().computeLossAndGradient(student, teacher, labels);
    expect(nested.loss).toBeCloseTo(alone.loss, 14);
    nested.gradient.data.forEach((value, i) => {
      expect(value).toBeCloseTo(alone.gradient.data[i]!, 14);
    });
  });
});

describeKernels('Standardized logits whose squares overflow', () => {
  test.each(['float32', 'float64'] as const)('are those of JavaScript: %s', (dtype) => {
    const numeric = { float32, float64 }[dtype];
    const size = dtype === 'float32' ? 1e20 : 1e160;
    const row = (scale: number, phase: number) =>
      Array.from({ length: 20 }, (_, j) => scale * Math.sin(j + phase));
    const large = Matrix.fromRows<FloatArray>([row(size, 0)], numeric);
    const small = Matrix.fromRows<FloatArray>([row(1, 1)], numeric);
    const strategy = new ResponseDistillationStrategy<FloatArray>({ standardizeLogits: true });
    const expected = new ResponseDistillationStrategy<FloatArray>({ standardizeLogits: true });
    for (const [student, teacher] of [
      [large, small],
      [small, large],
    ] as const) {
      const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
      const unit = Matrix.fromRows<FloatArray>([row(1, 0)], numeric);
      const same = student === large ? [unit, small] : [small, unit];
      const reference = expected.computeLossAndGradient(same[0]!, same[1]!);
      expect(loss).toBeCloseTo(reference.loss, 5);
      if (student === small) {
        gradient.data.forEach((value, j) => {
          expect(value).toBeCloseTo(reference.gradient.data[j]!, 5);
        });
      }
    }
  });
});
