import { describe, expect, test } from 'vitest';
import {
  HybridDistillationStrategy,
  MultiLevelDistillationStrategy,
  ResponseDistillationStrategy,
} from '../../../src/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { COLDER, divergence, SUMMED_TOLERANCE, standardized } from './_cases.js';

proveStrategy(MultiLevelDistillationStrategy, {
  'by default': divergence(() => new MultiLevelDistillationStrategy(), {
    sumOverRows: false,
    float32Tolerance: SUMMED_TOLERANCE,
  }),
  'T = 1, weighted': divergence(
    () =>
      new MultiLevelDistillationStrategy({
        temperature: 1,
        alpha: 0.6,
        multiples: [0.5, 2],
        instanceWeight: 0.25,
        batchWeight: 2,
        classWeight: 5,
      }),
    { sumOverRows: false, float32Tolerance: SUMMED_TOLERANCE },
  ),
  'instances alone, without T²': divergence(
    () =>
      new MultiLevelDistillationStrategy({
        temperatureSquared: false,
        batchWeight: 0,
        classWeight: 0,
      }),
    { float32Tolerance: SUMMED_TOLERANCE },
  ),
  standardized: {
    ...standardized(() => new MultiLevelDistillationStrategy({ standardizeLogits: true })),
    sumOverRows: false,
    temperatures: false,
  },
  'a colder teacher': divergence(() => new MultiLevelDistillationStrategy(COLDER), {
    sumOverRows: false,
    reachesMinimum: false,
    float32Tolerance: SUMMED_TOLERANCE,
  }),
});

function levels(
  options?: ConstructorParameters<typeof MultiLevelDistillationStrategy>[0],
): MultiLevelDistillationStrategy<Float64Array> {
  return new MultiLevelDistillationStrategy<Float64Array>(options);
}

const once = { temperature: 1, multiples: [1] };
const student = matrix([0, 0], [0, 0]);
const teacher = matrix([0, -Infinity], [Math.log(3), 0]); // p = (1, 0) and (¾, ¼), q = (½, ½) twice

describe('MultiLevelDistillationStrategy by hand', () => {
  test("has the defaults of the authors' code: temperatures 2 to 6 around 4", () => {
    const { temperature, alpha, multiples, instanceWeight, batchWeight, classWeight } = levels();
    expect(multiples.map((multiple) => multiple * temperature)).toEqual([2, 3, 4, 5, 6]);
    expect([temperature, alpha]).toEqual([4, 0.1]);
    expect([instanceWeight, batchWeight, classWeight]).toEqual([1, 1, 1]);
  });

  test('compares rows by ‖P Pᵀ − Q Qᵀ‖² over their number', () => {
    const strategy = levels({ ...once, instanceWeight: 0, classWeight: 0 });
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    // P Pᵀ = [[1, ¾], [¾, 10/16]], Q Qᵀ = ½ everywhere
    expect(loss).toBeCloseTo((1 / 4 + 2 / 16 + 1 / 64) / 2, 15);
    // d/dQ = −2 (P Pᵀ − Q Qᵀ) Q is the same for both classes of a row, which a softmax ignores
    for (const value of gradient.data) expect(value).toBeCloseTo(0, 15);
  });

  test('compares classes by ‖Pᵀ P − Qᵀ Q‖² over their number', () => {
    const strategy = levels({ ...once, instanceWeight: 0, batchWeight: 0 });
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    // Pᵀ P = [[25/16, 3/16], [3/16, 1/16]], Qᵀ Q = ½ everywhere
    expect(loss).toBeCloseTo((17 ** 2 + 2 * 5 ** 2 + 7 ** 2) / 256 / 2, 15);
    // d/dq of a row = −2 q (Pᵀ P − Qᵀ Q) = −(17 − 5, −5 − 7) / 16, and by the logits ±¼ of its
    // difference
    for (const [row, column] of [
      [0, 0],
      [1, 0],
    ] as const) {
      expect(gradient.get(row, column)).toBeCloseTo(-(24 / 16) / 4, 15);
      expect(gradient.get(row, column + 1)).toBeCloseTo(24 / 16 / 4, 15);
    }
  });

  test('compares single rows by t² KL, summed over the temperatures', () => {
    const sides = [matrix([1, 2, 0.5], [0, 1, -1]), matrix([2, 0, 1], [1, 1, -3])] as const;
    const strategy = levels({ batchWeight: 0, classWeight: 0, multiples: [0.5, 2] });
    const at = (temperature: number) =>
      new ResponseDistillationStrategy<Float64Array>({ temperature }).computeLoss(...sides);
    expect(strategy.computeLoss(...sides)).toBeCloseTo(at(2) + at(8), 13);
  });

  test('adds the three losses with their weights, without t² for relations', () => {
    const sides = [matrix([1, 2, 0.5], [0, 1, -1]), matrix([2, 0, 1], [1, 1, -3])] as const;
    const at = (options: object): number => levels(options).computeLoss(...sides);
    const none = { instanceWeight: 0, batchWeight: 0, classWeight: 0 };
    const [instance, batch, classes] = [
      at({ ...none, instanceWeight: 1 }),
      at({ ...none, batchWeight: 1 }),
      at({ ...none, classWeight: 1 }),
    ];
    expect(at({ instanceWeight: 0.5, batchWeight: 3, classWeight: 7 })).toBeCloseTo(
      0.5 * instance + 3 * batch + 7 * classes,
      13,
    );
    expect(at({ ...none, batchWeight: 1, temperatureSquared: false })).toBe(batch);
    expect(at({ ...none, instanceWeight: 1, temperatureSquared: false })).toBeLessThan(
      instance / 4,
    );
  });

  test('shifts all temperatures in a hybrid', () => {
    const hybrid = new HybridDistillationStrategy<Float64Array>(
      [{ strategy: levels(), weight: 1 }],
      { temperature: 8 },
    );
    const sides = [matrix([1, 2], [0, 1]), matrix([2, 0], [1, 1])] as const;
    expect(hybrid.computeLoss(...sides)).toBeCloseTo(
      levels({ temperature: 8 }).computeLoss(...sides),
      13,
    );
  });
});

describe('MultiLevelDistillationStrategy at the edges', () => {
  test('is exactly 0 at student = teacher, with a gradient of 0', () => {
    for (const rows of [
      [[1, 2, 3]],
      [
        [1, 1],
        [1, 1],
        [0, 5],
      ],
      [[3], [4]],
      [
        [1e4, -1e4],
        [0, 0],
      ],
    ]) {
      const side = matrix(...rows);
      const { loss, gradient } = levels().computeLossAndGradient(side, side.clone());
      expect(loss).toBe(0);
      expect(gradient.data.every((value) => value === 0)).toBe(true);
    }
  });

  test('refuses a class that only the student rules out', () => {
    const call = () => levels().computeLoss(matrix([0, -Infinity], [1, 2]), matrix([0, 1], [1, 2]));
    const place = { code: 'RULED_OUT', argument: 'student', row: 0, column: 1 };
    expect(refusal(call)).toMatchObject(place);
  });
});

describe('MultiLevelDistillationStrategy refuses', () => {
  test.each<[string, string, () => unknown]>([
    ['multiples', 'EMPTY', () => levels({ multiples: [] })],
    ['multiples', 'WRONG_TYPE', () => levels({ multiples: wrong(2) })],
    ['multiples[1]', 'OUT_OF_RANGE', () => levels({ multiples: [1, 0] })],
    ['instanceWeight', 'OUT_OF_RANGE', () => levels({ instanceWeight: -1 })],
    ['batchWeight', 'OUT_OF_RANGE', () => levels({ batchWeight: Infinity })],
    ['classWeight', 'WRONG_TYPE', () => levels({ classWeight: wrong(null) })],
    ['options', 'UNKNOWN_OPTION', () => levels(wrong({ temperatures: [2, 3] }))],
  ])('bad %s: %s', (argument, code, call) => {
    const operation = 'MultiLevelDistillationStrategy';
    expect(refusal(call)).toMatchObject({ operation, argument, code });
  });
});
