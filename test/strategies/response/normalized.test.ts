import { describe, expect, test } from 'vitest';
import {
  DecoupledDistillationStrategy,
  NormalizedDistillationStrategy,
  UNLABELED,
} from '../../../src/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { COLDER, labeled, standardized } from './_cases.js';

proveStrategy(NormalizedDistillationStrategy, {
  'by default': labeled(() => new NormalizedDistillationStrategy()),
  'alpha = 0, T = 0.05': labeled(
    () => new NormalizedDistillationStrategy({ alpha: 0, temperature: 0.05 }),
  ),
  'T = 100, without T²': labeled(
    () => new NormalizedDistillationStrategy({ temperature: 100, temperatureSquared: false }),
  ),
  'the others alone, alpha = 0': labeled(
    () => new NormalizedDistillationStrategy({ targetWeight: 0, alpha: 0, temperature: 3 }),
    { reachesMinimum: true },
  ),
  standardized: {
    ...standardized(() => new NormalizedDistillationStrategy({ standardizeLogits: true })),
    labels: 'classes',
    reachesMinimum: false,
  },
  'a colder teacher': labeled(() => new NormalizedDistillationStrategy(COLDER)),
});

type Options = ConstructorParameters<typeof NormalizedDistillationStrategy>[0];

function normalized(options: Options = {}): NormalizedDistillationStrategy<Float64Array> {
  return new NormalizedDistillationStrategy(options);
}

describe('NormalizedDistillationStrategy by hand', () => {
  // q = [1/3, 1/3, 1/3], p = [1/3, 1/2, 1/6]; without class 1, q̂ = [1/2, 1/2] and p̂ = [2/3, 1/3]
  const student = matrix([0, 0, 0]);
  const teacher = matrix([Math.log(2), Math.log(3), 0]);
  const label = Int32Array.of(1);
  const others = (2 / 3) * Math.log(4 / 3) + (1 / 3) * Math.log(2 / 3);

  test("is the cross-entropy weighted by the teacher's probability, and the divergence among the others", () => {
    const strategy = normalized({ alpha: 0, targetWeight: 3, nonTargetWeight: 5 });
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, label);
    expect(loss).toBeCloseTo((3 / 2) * Math.log(3) + 5 * others, 14);
    expect(gradient.get(0, 0)).toBeCloseTo(1.5 / 3 - 5 / 6, 14);
    expect(gradient.get(0, 1)).toBeCloseTo(1.5 * (1 / 3 - 1), 14);
    expect(gradient.get(0, 2)).toBeCloseTo(1.5 / 3 + 5 / 6, 14);
  });

  test("has the paper's weights 1 and 1.5, T = 1, and alpha 0.5, by default", () => {
    const strategy = normalized();
    expect(strategy).toMatchObject({
      targetWeight: 1,
      nonTargetWeight: 1.5,
      temperature: 1,
      alpha: 0.5,
    });
    const loss = strategy.computeLoss(student, teacher, label);
    expect(loss).toBeCloseTo(0.5 * Math.log(3) + 0.5 * (0.5 * Math.log(3) + 1.5 * others), 14);
  });

  test('applies temperature and T² to the other classes only', () => {
    const hot = matrix([Math.log(4), Math.log(3), 0]); // at T = 2, p̂ is [2/3, 1/3]
    const loss = normalized({ temperature: 2, alpha: 0 }).computeLoss(student, hot, label);
    expect(loss).toBeCloseTo((3 / 8) * Math.log(3) + 1.5 * 4 * others, 14);
    const plain = normalized({ temperature: 2, alpha: 0, temperatureSquared: false });
    expect(plain.computeLoss(student, hot, label)).toBeCloseTo(
      (3 / 8) * Math.log(3) + 1.5 * others,
      14,
    );
  });

  test('takes the cross-entropy and its weight from the original logits if others are standardized', () => {
    const strategy = normalized({ alpha: 0, nonTargetWeight: 0, standardizeLogits: true });
    expect(strategy.computeLoss(student, teacher, label)).toBeCloseTo(0.5 * Math.log(3), 14);
  });

  test('is the cross-entropy at alpha = 1', () => {
    const strategy = normalized({ alpha: 1 });
    expect(strategy.computeLoss(student, teacher, label)).toBeCloseTo(Math.log(3), 14);
  });

  test('is the cross-entropy term for two classes', () => {
    const pair = [matrix([0, 0]), matrix([Math.log(3), 0]), Int32Array.of(0)] as const;
    expect(normalized({ alpha: 0 }).computeLoss(...pair)).toBeCloseTo(0.75 * Math.LN2, 14);
    const single = [matrix([1]), matrix([2]), Int32Array.of(0)] as const;
    const { loss, gradient } = normalized().computeLossAndGradient(...single);
    expect([loss, gradient.get(0, 0)]).toEqual([0, 0]);
  });
});

describe('NormalizedDistillationStrategy', () => {
  test('matches the other classes as the decoupled loss does', () => {
    const call = [matrix([0.5, -1, 2, 0]), matrix([1, 0, -3, 2]), Int32Array.of(2)] as const;
    const options = { targetWeight: 0, nonTargetWeight: 2, temperature: 3, alpha: 0 };
    const decoupled = new DecoupledDistillationStrategy<Float64Array>(options);
    const expected = decoupled.computeLossAndGradient(...call);
    expect(normalized(options).computeLossAndGradient(...call)).toEqual(expected);
  });

  test('ignores a label that both sides rule out, unless alpha is above 0', () => {
    const call = [matrix([-Infinity, 0, 0]), matrix([-Infinity, 1, 1]), Int32Array.of(0)] as const;
    const { loss, gradient } = normalized({ alpha: 0 }).computeLossAndGradient(...call);
    expect(loss).toBe(0);
    expect(gradient.toRows()).toEqual([[0, 0, 0]]);
    expect(refusal(() => normalized().computeLoss(...call))).toMatchObject({
      code: 'RULED_OUT',
      argument: 'student',
      column: 0,
    });
  });

  test.each([
    ['the label', 0, [Number.NaN, 1, 1], [-Infinity, 1, 1]],
    ['another class', 1, [1, Number.NaN, 1], [0, -Infinity, -Infinity]],
  ])(
    "finds a NaN of the student at %s, where the teacher's probability is 0",
    (_, column, s, t) => {
      const call = () =>
        normalized({ alpha: 0 }).computeLoss(matrix(s), matrix(t), Int32Array.of(0));
      expect(refusal(call)).toMatchObject({ code: 'NOT_FINITE', argument: 'student', column });
    },
  );

  test('needs a label in every row', () => {
    const two = matrix([1, 2], [3, 4]);
    const call = () => normalized().computeLoss(two, two, Int32Array.of(UNLABELED, 0));
    expect(refusal(call)).toMatchObject({ code: 'LABEL_REQUIRED', argument: 'labels', row: 0 });
  });

  test.each<[string, Options, string]>([
    ['targetWeight', { targetWeight: -1 }, 'OUT_OF_RANGE'],
    ['nonTargetWeight', { nonTargetWeight: Infinity }, 'OUT_OF_RANGE'],
    ['nonTargetWeight', wrong({ nonTargetWeight: null }), 'WRONG_TYPE'],
    ['options', wrong({ gamma: 1.5 }), 'UNKNOWN_OPTION'],
  ])('refuses bad %s', (argument, options, code) => {
    expect(refusal(() => normalized(options))).toMatchObject({
      operation: 'NormalizedDistillationStrategy',
      argument,
      code,
    });
  });
});
