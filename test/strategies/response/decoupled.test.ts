import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DecoupledDistillationStrategy,
  IGNORE_INDEX,
  type Matrix,
  ResponseDistillationStrategy,
  UNLABELED,
} from '../../../src/index.js';
import { arbitraries } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { COLDER, labeled, standardized } from './_cases.js';

proveStrategy(DecoupledDistillationStrategy, {
  'by default': labeled(() => new DecoupledDistillationStrategy()),
  'alpha = 0, T = 0.05': labeled(
    () => new DecoupledDistillationStrategy({ alpha: 0, temperature: 0.05 }),
    { reachesMinimum: true },
  ),
  'the label alone, T = 100, without T²': labeled(
    () =>
      new DecoupledDistillationStrategy({
        nonTargetWeight: 0,
        temperature: 100,
        temperatureSquared: false,
      }),
  ),
  'the others alone, alpha = 0': labeled(
    () => new DecoupledDistillationStrategy({ targetWeight: 0, alpha: 0 }),
    { reachesMinimum: true },
  ),
  standardized: {
    ...standardized(() => new DecoupledDistillationStrategy({ standardizeLogits: true })),
    labels: 'classes',
    reachesMinimum: false,
  },
  'a colder teacher': labeled(() => new DecoupledDistillationStrategy(COLDER)),
});

type Options = ConstructorParameters<typeof DecoupledDistillationStrategy>[0];

function decoupled(options: Options = {}): DecoupledDistillationStrategy<Float64Array> {
  return new DecoupledDistillationStrategy(options);
}

/** The binary divergence of the label against all other classes. */
const target = (options: Options = {}) =>
  decoupled({ targetWeight: 1, nonTargetWeight: 0, alpha: 0, ...options });

/** The divergence among the other classes. */
const others = (options: Options = {}) =>
  decoupled({ targetWeight: 0, nonTargetWeight: 1, alpha: 0, ...options });

describe('DecoupledDistillationStrategy by hand', () => {
  // q = [1/3, 1/3, 1/3], p = [1/3, 1/2, 1/6]; without class 1, q̂ = [1/2, 1/2] and p̂ = [2/3, 1/3]
  const student = matrix([0, 0, 0]);
  const teacher = matrix([Math.log(2), Math.log(3), 0]);
  const label = Int32Array.of(1);
  const tckd = 0.5 * Math.log(1.5) + 0.5 * Math.log(0.75);
  const nckd = (2 / 3) * Math.log(4 / 3) + (1 / 3) * Math.log(2 / 3);

  test('is the weighted sum of both divergences', () => {
    const strategy = decoupled({ temperature: 1, alpha: 0, targetWeight: 3, nonTargetWeight: 5 });
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher, label);
    expect(loss).toBeCloseTo(3 * tckd + 5 * nckd, 14);
    expect(gradient.get(0, 0)).toBeCloseTo(3 / 12 - 5 / 6, 14);
    expect(gradient.get(0, 1)).toBeCloseTo(-3 / 6, 14);
    expect(gradient.get(0, 2)).toBeCloseTo(3 / 12 + 5 / 6, 14);
  });

  test("has the paper's weights 1 and 8 and its temperature, and alpha 0.5, by default", () => {
    const strategy = decoupled();
    expect(strategy).toMatchObject({
      targetWeight: 1,
      nonTargetWeight: 8,
      temperature: 4,
      alpha: 0.5,
    });
    const loss = strategy.computeLoss(student, matrix([...teacher.data].map((z) => 4 * z)), label);
    expect(loss).toBeCloseTo(0.5 * Math.log(3) + 0.5 * 16 * (tckd + 8 * nckd), 13);
  });

  test('has no divergence among the others for two classes', () => {
    const pair = [matrix([1, -2]), matrix([3, 5]), Int32Array.of(0)] as const;
    const { loss, gradient } = others().computeLossAndGradient(...pair);
    expect(loss).toBe(0);
    expect(gradient.toRows()).toEqual([[0, 0]]);
    const whole = new ResponseDistillationStrategy<Float64Array>({ temperature: 4, alpha: 0 });
    expect(target().computeLoss(...pair)).toBeCloseTo(whole.computeLoss(...pair), 13);
  });

  test('is 0 for a single class', () => {
    const single = decoupled().computeLossAndGradient(matrix([2]), matrix([-3]), Int32Array.of(0));
    expect(single.loss).toBe(0);
    expect(single.gradient.toRows()).toEqual([[0]]);
  });

  test('keeps its precision for a label of which both sides are nearly certain, beyond where 1 − q is 0', () => {
    // log(1 − p_y) = −50 and log(1 − q_y) = −60 but for 2e-22: TCKD = e^−50 (10 − 1) + e^−60
    const strategy = target({ temperature: 1 });
    const sure = [matrix([60, 0]), matrix([50, 0]), Int32Array.of(0)] as const;
    const { loss, gradient } = strategy.computeLossAndGradient(...sure);
    expect(loss / (9 * Math.exp(-50) + Math.exp(-60))).toBeCloseTo(1, 12);
    expect(gradient.get(0, 0) / (Math.exp(-50) - Math.exp(-60))).toBeCloseTo(1, 12);
  });

  test("keeps the other classes' distribution at any distance below the label", () => {
    const far = [matrix([9000, 0, 0]), matrix([9000, Math.log(2), 0]), Int32Array.of(0)] as const;
    const { loss, gradient } = others({ temperature: 1 }).computeLossAndGradient(...far);
    expect(loss).toBeCloseTo(nckd, 14);
    expect(gradient.toRows()).toEqual([[0, expect.closeTo(-1 / 6, 14), expect.closeTo(1 / 6, 14)]]);
  });
});

describe('DecoupledDistillationStrategy', () => {
  test('Hinton’s divergence is TCKD + (1 − p_y) · NCKD, in value and gradient', () => {
    const rows = arbitraries(fc).logits({ rows: 2, columns: 4 });
    const property = fc.property(
      rows,
      fc.nat(3),
      fc.double({ min: 0.3, max: 8, noNaN: true }),
      (rows, y, T) => {
        const [s = [], t = []] = rows;
        const call = [matrix(s), matrix(t), Int32Array.of(y)] as const;
        const options = { temperature: T, alpha: 0 };
        const max = Math.max(...t);
        const weights = t.map((z) => Math.exp((z - max) / T));
        const whole = weights.reduce((sum, weight) => sum + weight, 0);
        const rest = weights.reduce((sum, weight, j) => (j === y ? sum : sum + weight), 0) / whole;
        const kd = new ResponseDistillationStrategy<Float64Array>(options);
        const parts = decoupled({ ...options, nonTargetWeight: rest });
        const [expected, sum] = [kd, parts].map((loss) => loss.computeLossAndGradient(...call));
        expect(sum!.loss).toBeCloseTo(expected!.loss, 10);
        sum!.gradient.data.forEach((g, j) => {
          expect(g).toBeCloseTo(expected!.gradient.data[j]!, 10);
        });
      },
    );
    fc.assert(property);
  });

  test('has no divergence among the others if the teacher rules out all but the label', () => {
    const call = [matrix([0, 0, 0]), matrix([-Infinity, 1, -Infinity]), Int32Array.of(1)] as const;
    const strategy = decoupled({ temperature: 1, alpha: 0 });
    const { loss, gradient } = strategy.computeLossAndGradient(...call);
    expect(loss).toBeCloseTo(Math.log(3), 14);
    expect(gradient.toRows()[0]).toEqual([1 / 3, -2 / 3, 1 / 3].map((g) => expect.closeTo(g, 14)));
  });

  test.each<[string, Matrix<Float64Array> | Int32Array | undefined, string]>([
    ['none', undefined, 'labels must be a class for every row, as an index or one-hot, got none'],
    ['an unlabeled row', Int32Array.of(1, UNLABELED), 'labels row 1 must be a class'],
    ['a distribution', matrix([0, 1], [0.5, 0.5]), 'labels row 1 must be a class'],
    ['what is nearly one-hot', matrix([0, 1], [0.9999, 0]), 'got a row that is not one-hot'],
  ])('needs a label in every row, and refuses %s', (_, labels, message) => {
    const two = matrix([1, 2], [3, 4]);
    const gradient = matrix([7, 7], [7, 7]);
    const call = () => decoupled().computeGradient(two, two, labels, { gradient });
    expect(refusal(call)).toMatchObject({ code: 'LABEL_REQUIRED', argument: 'labels' });
    expect(call).toThrow(message);
    expect(gradient.toRows()).toEqual([
      [7, 7],
      [7, 7],
    ]);
  });

  test('needs no label in an ignored or masked row', () => {
    const two = matrix([1, 2], [3, 4]);
    const labels = Int32Array.of(1, IGNORE_INDEX);
    expect(target().computeLoss(two, two, labels)).toBe(0);
    expect(
      target().computeLoss(two, two, Int32Array.of(1, UNLABELED), {
        mask: [true, false].map(Number),
      }),
    ).toBe(0);
  });

  test('refuses a class that only the student rules out', () => {
    const student = matrix([0, 1, -Infinity]);
    const call = () =>
      decoupled({ alpha: 0 }).computeLoss(student, matrix([0, 0, 0]), Int32Array.of(0));
    expect(refusal(call)).toMatchObject({
      code: 'RULED_OUT',
      argument: 'student',
      row: 0,
      column: 2,
    });
  });

  test.each<[string, Options, string]>([
    ['targetWeight', { targetWeight: -1 }, 'OUT_OF_RANGE'],
    ['targetWeight', { targetWeight: Number.NaN }, 'OUT_OF_RANGE'],
    ['nonTargetWeight', { nonTargetWeight: Infinity }, 'OUT_OF_RANGE'],
    ['nonTargetWeight', wrong({ nonTargetWeight: '8' }), 'WRONG_TYPE'],
    ['options', wrong({ beta: 8 }), 'UNKNOWN_OPTION'],
  ])('refuses bad %s', (argument, options, code) => {
    expect(refusal(() => decoupled(options))).toMatchObject({
      operation: 'DecoupledDistillationStrategy',
      argument,
      code,
    });
  });
});
