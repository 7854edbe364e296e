import { describe, expect, test } from 'vitest';
import {
  ReverseKLDistillationStrategy,
  SkewReverseKLDistillationStrategy,
} from '../../../src/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { COLDER, divergence } from './_cases.js';

proveStrategy(SkewReverseKLDistillationStrategy, {
  'by default': divergence(() => new SkewReverseKLDistillationStrategy()),
  'lambda = 0.7, T = 0.5': divergence(
    () => new SkewReverseKLDistillationStrategy({ lambda: 0.7, temperature: 0.5 }),
  ),
  'a colder teacher': divergence(() => new SkewReverseKLDistillationStrategy(COLDER), {
    reachesMinimum: false,
  }),
});

// p = softmax([ln 3, 0]) = [3/4, 1/4], q = softmax([0, 0]) = [1/2, 1/2]
const teacher = matrix([Math.log(3), 0]);
const student = matrix([0, 0]);

type Options = ConstructorParameters<typeof SkewReverseKLDistillationStrategy>[0];

function skewReverse(options: Options = {}): SkewReverseKLDistillationStrategy<Float64Array> {
  return new SkewReverseKLDistillationStrategy({ temperature: 1, ...options });
}

describe('SkewReverseKLDistillationStrategy by hand', () => {
  test('is KL(q ‖ (1 − lambda) p + lambda q)', () => {
    const half = skewReverse({ lambda: 0.5 });
    const { loss, gradient } = half.computeLossAndGradient(student, teacher);
    // The mixture is [5/8, 3/8].
    expect(loss).toBeCloseTo(0.5 * Math.log(4 / 5) + 0.5 * Math.log(4 / 3), 15);
    // q (h − Σ q h), h = log(q / m) + 1 − lambda q / m
    expect(gradient.get(0, 0)).toBeCloseTo((Math.log(3 / 5) + 4 / 15) / 4, 15);
    expect(gradient.get(0, 1)).toBeCloseTo(-(Math.log(3 / 5) + 4 / 15) / 4, 15);
  });

  test('lambda is 0.1, as in the paper', () => {
    expect(new SkewReverseKLDistillationStrategy().lambda).toBe(0.1);
    // The mixture is [29/40, 11/40].
    const expected = 0.5 * Math.log(20 / 29) + 0.5 * Math.log(20 / 11);
    expect(skewReverse().computeLoss(student, teacher)).toBeCloseTo(expected, 15);
  });

  test('goes over into KL(q ‖ p) as lambda goes to 0', () => {
    const limit = new ReverseKLDistillationStrategy<Float64Array>({ temperature: 1 });
    const expected = limit.computeLossAndGradient(student, teacher);
    const close = skewReverse({ lambda: 1e-9 }).computeLossAndGradient(student, teacher);
    expect(close.loss).toBeCloseTo(expected.loss, 8);
    expect(close.gradient.get(0, 0)).toBeCloseTo(expected.gradient.get(0, 0), 8);
  });

  test('goes to 0 as lambda goes to 1', () => {
    expect(skewReverse({ lambda: 1 - 1e-9 }).computeLoss(student, teacher)).toBeLessThan(1e-9);
  });
});

describe('SkewReverseKLDistillationStrategy at the edges', () => {
  test('is finite where the teacher rules out what the student allows', () => {
    const result = skewReverse().computeLossAndGradient(matrix([0, 0]), matrix([0, -Infinity]));
    // q = [1/2, 1/2], the mixture is [19/20, 1/20]
    expect(result.loss).toBeCloseTo(0.5 * Math.log(10 / 19) + 0.5 * Math.log(10), 15);
    // h = [log(10/19) + 1 − 1/19, log 10 + 1 − 1]
    const pull = (Math.log(10 / 19) + 18 / 19 - Math.log(10)) / 4;
    expect(result.gradient.get(0, 0)).toBeCloseTo(pull, 15);
  });

  test('is at most −ln lambda', () => {
    const loss = skewReverse().computeLoss(matrix([0, -Infinity]), matrix([-Infinity, 0]));
    expect(loss).toBeCloseTo(Math.log(10), 14);
    const far = skewReverse().computeLoss(matrix([1e4, -1e4]), matrix([-1e4, 1e4]));
    expect(far).toBeCloseTo(Math.log(10), 14);
  });

  test.each([1e-10, 1e-17, 1e-300])('so it is for a lambda of %d', (lambda) => {
    const strategy = skewReverse({ lambda });
    const bound = -Math.log(lambda);
    for (const low of [-Infinity, -1e4]) {
      const [student, teacher] = [matrix([0, low]), matrix([low, 0])];
      expect(strategy.computeLoss(student, teacher) / bound).toBeCloseTo(1, 14);
    }
    // Lambda + e⁻²⁰ of it in the mixture.
    const loss = strategy.computeLoss(matrix([0, -20]), matrix([-20, 0]));
    expect(loss / -Math.log(lambda + Math.exp(-20))).toBeCloseTo(1, 7);
  });

  test('a class that the student rules out adds nothing of its own, with gradient 0', () => {
    const result = skewReverse().computeLossAndGradient(matrix([0, -Infinity]), matrix([0, 0]));
    // q = [1, 0], p = [1/2, 1/2], the mixture is [11/20, 9/20]
    expect(result.loss).toBeCloseTo(Math.log(20 / 11), 15);
    expect([...result.gradient.data]).toEqual([0, 0]);
  });

  test('a label that the student rules out is refused', () => {
    const call = () =>
      skewReverse().computeLoss(matrix([0, -Infinity]), matrix([0, 0]), Int32Array.of(1));
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
])('SkewReverseKLDistillationStrategy refuses %s in %j', (argument, options, code) => {
  const operation = 'SkewReverseKLDistillationStrategy';
  const create = () => skewReverse(wrong<Options>(options));
  expect(refusal(create)).toMatchObject({ operation, argument, code });
});
