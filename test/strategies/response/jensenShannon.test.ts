import { describe, expect, test } from 'vitest';
import {
  JensenShannonDistillationStrategy,
  ResponseDistillationStrategy,
  ReverseKLDistillationStrategy,
} from '../../../src/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { COLDER, divergence } from './_cases.js';

proveStrategy(JensenShannonDistillationStrategy, {
  'by default': divergence(() => new JensenShannonDistillationStrategy()),
  'beta = 0.9, T = 1': divergence(
    () => new JensenShannonDistillationStrategy({ beta: 0.9, temperature: 1 }),
  ),
  'beta = 0.01 between the limits': divergence(
    () => new JensenShannonDistillationStrategy({ beta: 0.01, scale: 'kl-limits' }),
  ),
  'beta = 0': divergence(
    () => new JensenShannonDistillationStrategy({ beta: 0, scale: 'kl-limits' }),
  ),
  'beta = 1': divergence(
    () => new JensenShannonDistillationStrategy({ beta: 1, scale: 'kl-limits', alpha: 0.9 }),
  ),
  'a colder teacher': divergence(() => new JensenShannonDistillationStrategy(COLDER), {
    reachesMinimum: false,
  }),
});

// p = softmax([ln 3, 0]) = [3/4, 1/4], q = softmax([0, 0]) = [1/2, 1/2]
const teacher = matrix([Math.log(3), 0]);
const student = matrix([0, 0]);

type Options = ConstructorParameters<typeof JensenShannonDistillationStrategy>[0];

function jensenShannon(options: Options = {}): JensenShannonDistillationStrategy<Float64Array> {
  return new JensenShannonDistillationStrategy({ temperature: 1, ...options });
}

const forward = new ResponseDistillationStrategy<Float64Array>({ temperature: 1 });
const reverse = new ReverseKLDistillationStrategy<Float64Array>({ temperature: 1 });

describe('JensenShannonDistillationStrategy by hand', () => {
  test('is β KL(p ‖ m) + (1 − β) KL(q ‖ m), with β = 1/2 by default', () => {
    const { loss, gradient } = jensenShannon().computeLossAndGradient(student, teacher);
    // m = [5/8, 3/8]
    const ofTeacher = 0.75 * Math.log(6 / 5) + 0.25 * Math.log(2 / 3);
    const ofStudent = 0.5 * Math.log(4 / 5) + 0.5 * Math.log(4 / 3);
    expect(loss).toBeCloseTo((ofTeacher + ofStudent) / 2, 15);
    // (1 − β) q (e − Σ q e), e = log q − log m
    expect(gradient.get(0, 0)).toBeCloseTo(Math.log(3 / 5) / 8, 15);
    expect(gradient.get(0, 1)).toBeCloseTo(-Math.log(3 / 5) / 8, 15);
  });

  test('weights the teacher by β', () => {
    const loss = jensenShannon({ beta: 0.8 }).computeLoss(student, teacher);
    // m = [7/10, 3/10]
    const ofTeacher = 0.75 * Math.log(15 / 14) + 0.25 * Math.log(5 / 6);
    const ofStudent = 0.5 * Math.log(5 / 7) + 0.5 * Math.log(5 / 3);
    expect(loss).toBeCloseTo(0.8 * ofTeacher + 0.2 * ofStudent, 15);
    expect(loss).toBeCloseTo(jensenShannon({ beta: 0.2 }).computeLoss(teacher, student), 15);
  });

  test('is bounded by the entropy of β, which disjoint sides reach', () => {
    const [first, second] = [matrix([0, -Infinity]), matrix([-Infinity, 0])];
    expect(jensenShannon().computeLoss(first, second)).toBeCloseTo(Math.LN2, 15);
    const entropy = -0.9 * Math.log(0.9) - 0.1 * Math.log(0.1);
    const { loss, gradient } = jensenShannon({ beta: 0.9 }).computeLossAndGradient(first, second);
    expect(loss).toBeCloseTo(entropy, 15);
    expect([...gradient.data]).toEqual([0, 0]);
  });
});

describe('JensenShannonDistillationStrategy between the two divergences', () => {
  test("with 'kl-limits' is KL(p ‖ q) at β = 0 and KL(q ‖ p) at β = 1, and converges to them", () => {
    for (const [end, near, limit] of [
      [0, 1e-7, forward],
      [1, 1 - 1e-7, reverse],
    ] as const) {
      const expected = limit.computeLossAndGradient(student, teacher);
      const at = jensenShannon({ beta: end, scale: 'kl-limits' });
      const { loss, gradient } = at.computeLossAndGradient(student, teacher);
      expect(loss).toBeCloseTo(expected.loss, 15);
      expect(gradient.get(0, 0)).toBeCloseTo(expected.gradient.get(0, 0), 15);
      const close = jensenShannon({ beta: near, scale: 'kl-limits' });
      const almost = close.computeLossAndGradient(student, teacher);
      expect(almost.loss).toBeCloseTo(expected.loss, 6);
      expect(almost.gradient.get(0, 0)).toBeCloseTo(expected.gradient.get(0, 0), 6);
    }
  });

  test('is finite for distant sides close to the ends, too', () => {
    const [student, teacher] = [matrix([0, -80]), matrix([-80, 0])];
    for (const [beta, share] of [
      [1e-17, 1e-17],
      [1 - 2 ** -53, 2 ** -53],
    ] as const) {
      const { loss } = jensenShannon({ beta, scale: 'kl-limits' }).computeLossAndGradient(
        student,
        teacher,
      );
      // −ln share of the side that is far from the mixture, −ln(1 − share) / share of the near
      // side.
      expect(loss).toBeCloseTo(1 - Math.log(share), 12);
      expect(jensenShannon({ beta }).computeLoss(student, teacher) / share).toBeCloseTo(loss, 12);
    }
  });

  test("without 'kl-limits' converges to 0 at the ends", () => {
    for (const beta of [1e-7, 1 - 1e-7]) {
      const loss = jensenShannon({ beta }).computeLoss(student, teacher);
      expect(loss).toBeGreaterThan(0);
      expect(loss).toBeLessThan(1e-6);
    }
  });

  test("with 'kl-limits' divides by β (1 − β) between the ends", () => {
    const plain = jensenShannon({ beta: 0.3 }).computeLoss(student, teacher);
    const scaled = jensenShannon({ beta: 0.3, scale: 'kl-limits' }).computeLoss(student, teacher);
    expect(scaled).toBeCloseTo(plain / 0.21, 14);
  });

  test('refuses a ruled-out class at the ends as the divergence there does', () => {
    const [all, some] = [matrix([0, 0]), matrix([0, -Infinity])];
    const at = (beta: number) => jensenShannon({ beta, scale: 'kl-limits' });
    expect(refusal(() => at(0).computeLoss(some, all))).toMatchObject({
      code: 'RULED_OUT',
      argument: 'student',
    });
    expect(refusal(() => at(1).computeLoss(all, some))).toMatchObject({
      code: 'RULED_OUT',
      argument: 'teacher',
    });
    expect(at(0).computeLoss(all, some)).toBeCloseTo(Math.LN2, 15);
    expect(at(1).computeLoss(some, all)).toBeCloseTo(Math.LN2, 15);
    for (const pair of [[all, some] as const, [some, all] as const]) {
      expect(at(0.5).computeLoss(...pair)).toBeLessThan(4 * Math.LN2);
    }
  });
});

test.each<[string, object, string]>([
  ['beta', { beta: 0 }, 'OUT_OF_RANGE'],
  ['beta', { beta: 1 }, 'OUT_OF_RANGE'],
  ['beta', { beta: Number.NaN }, 'OUT_OF_RANGE'],
  ['beta', { beta: 1.5, scale: 'kl-limits' }, 'OUT_OF_RANGE'],
  ['beta', { beta: '0.5' }, 'WRONG_TYPE'],
  ['scale', { scale: 'limits' }, 'OUT_OF_RANGE'],
  ['scale', { scale: 1 }, 'WRONG_TYPE'],
  ['tail', { tail: 'zero' }, 'OUT_OF_RANGE'],
  ['options', { lambda: 0.1 }, 'UNKNOWN_OPTION'],
])('JensenShannonDistillationStrategy refuses %s in %j', (argument, options, code) => {
  const operation = 'JensenShannonDistillationStrategy';
  const create = () => jensenShannon(wrong<Options>(options));
  expect(refusal(create)).toMatchObject({ operation, argument, code });
});
