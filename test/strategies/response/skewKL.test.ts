import { describe, expect, test } from 'vitest';
import { ResponseDistillationStrategy, SkewKLDistillationStrategy } from '../../../src/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { COLDER, divergence } from './_cases.js';

proveStrategy(SkewKLDistillationStrategy, {
  'by default': divergence(() => new SkewKLDistillationStrategy()),
  'lambda = 0.7, T = 0.5': divergence(
    () => new SkewKLDistillationStrategy({ lambda: 0.7, temperature: 0.5 }),
  ),
  'a colder teacher': divergence(() => new SkewKLDistillationStrategy(COLDER), {
    reachesMinimum: false,
  }),
});

// p = softmax([ln 3, 0]) = [3/4, 1/4], q = softmax([0, 0]) = [1/2, 1/2]
const teacher = matrix([Math.log(3), 0]);
const student = matrix([0, 0]);

type Options = ConstructorParameters<typeof SkewKLDistillationStrategy>[0];

function skew(options: Options = {}): SkewKLDistillationStrategy<Float64Array> {
  return new SkewKLDistillationStrategy({ temperature: 1, ...options });
}

describe('SkewKLDistillationStrategy by hand', () => {
  test('is KL(p ‖ lambda p + (1 − lambda) q)', () => {
    const { loss, gradient } = skew({ lambda: 0.5 }).computeLossAndGradient(student, teacher);
    // The mixture is [5/8, 3/8].
    expect(loss).toBeCloseTo(0.75 * Math.log(6 / 5) + 0.25 * Math.log(2 / 3), 15);
    // q (h − Σ q h), h = −(1 − lambda) p / m = [−3/5, −1/3]
    expect(gradient.get(0, 0)).toBeCloseTo(-1 / 15, 15);
    expect(gradient.get(0, 1)).toBeCloseTo(1 / 15, 15);
  });

  test('lambda is 0.1, as in the paper', () => {
    expect(new SkewKLDistillationStrategy().lambda).toBe(0.1);
    // The mixture is [21/40, 19/40].
    const expected = 0.75 * Math.log(10 / 7) + 0.25 * Math.log(10 / 19);
    expect(skew().computeLoss(student, teacher)).toBeCloseTo(expected, 15);
  });

  test('goes over into KL(p ‖ q) as lambda goes to 0', () => {
    const limit = new ResponseDistillationStrategy<Float64Array>({ temperature: 1 });
    const expected = limit.computeLossAndGradient(student, teacher);
    const close = skew({ lambda: 1e-9 }).computeLossAndGradient(student, teacher);
    expect(close.loss).toBeCloseTo(expected.loss, 8);
    expect(close.gradient.get(0, 0)).toBeCloseTo(expected.gradient.get(0, 0), 8);
  });

  test('goes to 0 as lambda goes to 1', () => {
    expect(skew({ lambda: 1 - 1e-9 }).computeLoss(student, teacher)).toBeLessThan(1e-9);
  });
});

describe('SkewKLDistillationStrategy at the edges', () => {
  test('is finite where the student rules out what the teacher allows, with gradient 0 there', () => {
    const { loss, gradient } = skew().computeLossAndGradient(
      matrix([0, -Infinity]),
      matrix([0, 0]),
    );
    // p = [1/2, 1/2], the mixture is [19/20, 1/20]
    expect(loss).toBeCloseTo(0.5 * Math.log(10 / 19) + 0.5 * Math.log(10), 15);
    expect([...gradient.data]).toEqual([0, 0]);
  });

  test('is at most −ln lambda', () => {
    const loss = skew().computeLoss(matrix([0, -Infinity]), matrix([-Infinity, 0]));
    expect(loss).toBeCloseTo(Math.log(10), 14);
    expect(skew().computeLoss(matrix([1e4, -1e4]), matrix([-1e4, 1e4]))).toBeCloseTo(
      Math.log(10),
      14,
    );
  });

  test.each([1e-10, 1e-17, 1e-300])('so it is for a lambda of %d', (lambda) => {
    const strategy = skew({ lambda });
    const bound = -Math.log(lambda);
    for (const low of [-Infinity, -1e4]) {
      const [student, teacher] = [matrix([0, low]), matrix([low, 0])];
      expect(strategy.computeLoss(student, teacher) / bound).toBeCloseTo(1, 14);
    }
    // Lambda + e⁻²⁰ of it in the mixture.
    const loss = strategy.computeLoss(matrix([0, -20]), matrix([-20, 0]));
    expect(loss / -Math.log(lambda + Math.exp(-20))).toBeCloseTo(1, 7);
  });

  test('a class that the teacher rules out adds nothing of its own', () => {
    // p = [1, 0], q = [1/2, 1/2], the mixture is [11/20, 9/20]
    const loss = skew().computeLoss(matrix([0, 0]), matrix([0, -Infinity]));
    expect(loss).toBeCloseTo(Math.log(20 / 11), 15);
  });

  test('a label that the student rules out is refused', () => {
    const call = () => skew().computeLoss(matrix([0, -Infinity]), matrix([0, 0]), Int32Array.of(1));
    expect(refusal(call)).toMatchObject({
      code: 'RULED_OUT',
      argument: 'student',
      row: 0,
      column: 1,
    });
  });
});

test.each<[string, object, string]>([
  ['lambda', { lambda: 0 }, 'OUT_OF_RANGE'],
  ['lambda', { lambda: 1 }, 'OUT_OF_RANGE'],
  ['lambda', { lambda: Number.NaN }, 'OUT_OF_RANGE'],
  ['lambda', { lambda: '0.1' }, 'WRONG_TYPE'],
  ['lambda', { lambda: null }, 'WRONG_TYPE'],
  ['options', { beta: 0.1 }, 'UNKNOWN_OPTION'],
  ['tail', { tail: 'zero' }, 'OUT_OF_RANGE'],
])('SkewKLDistillationStrategy refuses %s in %j', (argument, options, code) => {
  const operation = 'SkewKLDistillationStrategy';
  const create = () => skew(wrong<Options>(options));
  expect(refusal(create)).toMatchObject({ operation, argument, code });
});
