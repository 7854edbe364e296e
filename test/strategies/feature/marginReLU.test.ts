import { describe, expect, test } from 'vitest';
import {
  batchNormMargins,
  type FloatArray,
  float64,
  LinearProjection,
  MarginReLUDistillationStrategy,
  type NumericTrait,
} from '../../../src/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { PROJECTED_TOLERANCE, roundedProjection } from '../_cases.js';

proveStrategy(MarginReLUDistillationStrategy, {
  'of one channel': {
    create: () => new MarginReLUDistillationStrategy({ margins: [-0.4] }),
    values: 'features',
    invariances: ['row-order', 'column-order'],
  },
  'of channels': {
    create: () => new MarginReLUDistillationStrategy({ margins: [-2.3, 0, -0.4] }),
    values: 'features',
    columns: 3 * 2,
    invariances: ['row-order'],
  },
  'of feature maps, projected': {
    create: <T extends FloatArray>(numeric: NumericTrait<T>) =>
      new MarginReLUDistillationStrategy<T>({
        margins: [-2.3, -0.4],
        projection: roundedProjection(3, 2, { bias: true, numeric }),
      }),
    values: 'features',
    columns: { student: 3 * 2, teacher: 2 * 2 },
    invariances: ['row-order'],
    float32Tolerance: PROJECTED_TOLERANCE,
  },
});

function withMargins(...margins: number[]): MarginReLUDistillationStrategy<Float64Array> {
  return new MarginReLUDistillationStrategy({ margins });
}

describe('MarginReLUDistillationStrategy by hand', () => {
  test('compares with max(teacher, margin of the channel), sum over columns, mean over rows', () => {
    // 2 channels × 2 positions, in quarters
    const { loss, gradient } = withMargins(-0.5, -1).computeLossAndGradient(
      matrix([0.5, -0.25, 0, 2], [-2, -2, -2, -2]),
      matrix([1, -9, -9, 1], [0.25, 0, -0.5, -9]),
    );
    expect(loss).toBe((0.25 + 0.0625 + 1 + 1 + 5.0625) / 2);
    expect(gradient.toRows()).toEqual([
      [-0.5, 0.25, 1, 1],
      [-2.25, 0, 0, 0],
    ]);
  });

  test('skips an element only if it is below a target that is not positive', () => {
    const strategy = withMargins(-1);
    const lossOf = (s: number, t: number) => strategy.computeLoss(matrix([s]), matrix([t]));
    expect(lossOf(-5, -3)).toBe(0);
    expect(lossOf(-1, -3)).toBe(0);
    expect(lossOf(-0.5, -3)).toBe(0.25);
    expect(lossOf(-0.5, -0.25)).toBe(0);
    expect(lossOf(-0.5, -0.75)).toBe(0.0625);
    expect(lossOf(-0.5, 0)).toBe(0);
    expect(lossOf(-0.5, 0.5)).toBe(1);
  });

  test('is exactly 0, with gradient 0, at student = teacher', () => {
    const rows = matrix([0.1, -0.3, -7, 0], [1e150, -1e150, 3, -0.5]);
    const { loss, gradient } = withMargins(-0.5, 0).computeLossAndGradient(rows, rows.clone());
    expect(loss).toBe(0);
    expect(gradient.data.every((value) => value === 0)).toBe(true);
  });

  test('accepts a projection as its connector, for other channels at the same positions', () => {
    const projection = new LinearProjection(1, 2, { numeric: float64 });
    const [weight] = projection.parameters();
    weight!.value.data.set([1, -1]);
    const strategy = new MarginReLUDistillationStrategy({ margins: [-0.5, -1], projection });
    // 2 positions: [0.5, −0.5] and [3, −3] against [1, −2] and [2, 1]
    const { loss, gradient } = strategy.computeLossAndGradient(
      matrix([0.5, 3]),
      matrix([1, 2, -2, 1]),
    );
    expect(loss).toBe(0.25 + 1 + 0.25 + 16);
    expect(gradient.toRows()).toEqual([[-1 - 1, 2 + 8]]);
    expect(weight!.gradient.toRows()).toEqual([[-0.5 + 6, 0.5 - 24]]);
  });

  test.each([
    ['student', [-Infinity], [-1]],
    ['student', [Number.NaN], [-1]],
    ['teacher', [-9], [-Infinity]],
    ['teacher', [-9], [Number.NaN]],
    ['teacher', [-9], [Infinity]],
  ])(
    'finds an element of the %s that is not finite, although the margin would hide it',
    (argument, s, t) => {
      expect(refusal(() => withMargins(-1).computeLoss(matrix(s), matrix(t)))).toMatchObject({
        code: 'NOT_FINITE',
        argument,
      });
    },
  );

  test('requires rows of the given number of channels', () => {
    const call = () => withMargins(-1, -1).computeLoss(matrix([1, 2, 3]), matrix([1, 2, 3]));
    expect(refusal(call)).toMatchObject({
      code: 'SHAPE_MISMATCH',
      argument: 'teacher',
      expected: '[1, 2] (2 channels × 1 positions)',
    });
    const projection = new LinearProjection(1, 3, { numeric: float64 });
    const other = new MarginReLUDistillationStrategy({ margins: [-1, -1], projection });
    expect(
      refusal(() => other.computeLoss(matrix([1, 2]), matrix([1, 2, 3, 4, 5, 6]))),
    ).toMatchObject({ code: 'SHAPE_MISMATCH', expected: '[1, 4] (2 channels × 2 positions)' });
  });

  test.each<[string, object | undefined, string]>([
    ['margins', undefined, 'WRONG_TYPE'],
    ['margins', {}, 'WRONG_TYPE'],
    ['margins', { margins: -1 }, 'WRONG_TYPE'],
    ['margins', { margins: [] }, 'EMPTY'],
    ['margins', { margins: { length: -1 } }, 'EMPTY'],
    ['margins[1]', { margins: [0, 0.5] }, 'OUT_OF_RANGE'],
    ['margins[0]', { margins: [-Infinity] }, 'OUT_OF_RANGE'],
    ['margins[0]', { margins: ['-1'] }, 'WRONG_TYPE'],
    ['options', { margin: 1 }, 'UNKNOWN_OPTION'],
  ])('refuses bad %s', (argument, options, code) => {
    expect(
      refusal(() => new MarginReLUDistillationStrategy(wrong<{ margins: number[] }>(options))),
    ).toMatchObject({
      operation: 'MarginReLUDistillationStrategy',
      argument,
      code,
    });
  });
});

describe('batchNormMargins', () => {
  test('is the mean of the negative values', () => {
    // of a standard normal −√(2/π), by its integral; the others by PyTorch's ndtr
    const margins = batchNormMargins({
      mean: [0, 0, 0.2, -1, 1.5, 3.09, -30],
      deviation: [1, -3, 0.5, 2, 0.75, 1, 1],
    });
    const expected = [
      -Math.sqrt(2 / Math.PI),
      -3 * Math.sqrt(2 / Math.PI),
      -0.33437808587281054,
      -2.018320867674067,
      -0.2799116496171308,
      -0.2768735208850801,
      -30,
    ];
    expected.forEach((margin, channel) => {
      expect(margins[channel]).toBeCloseTo(margin, 12);
    });
  });

  test('is −3 deviations if hardly a value is negative', () => {
    const margins = batchNormMargins({ mean: [3.1, 1e300, 20], deviation: [1, 2, -1e-300] });
    expect(Array.from(margins)).toEqual([-3, -6, -3e-300]);
  });

  test('of a constant is the constant if it is negative, and else 0', () => {
    const margins = batchNormMargins({ mean: [-2, 0, 2], deviation: [0, 0, 0] });
    expect(Array.from(margins)).toEqual([-2, 0, 0]);
  });

  test('returns margins that the strategy accepts', () => {
    const mean = Array.from({ length: 401 }, (_, i) => (i - 200) / 10);
    const margins = batchNormMargins({ mean, deviation: mean.map(() => 1) });
    expect(new MarginReLUDistillationStrategy({ margins }).margins).toEqual(margins);
  });

  test.each<[string, object, string]>([
    ['deviation', { mean: [1], deviation: [1, 2] }, 'SHAPE_MISMATCH'],
    ['mean[0]', { mean: [Number.NaN], deviation: [1] }, 'OUT_OF_RANGE'],
    ['deviation[0]', { mean: [1], deviation: [Infinity] }, 'OUT_OF_RANGE'],
    ['mean', { mean: [], deviation: [] }, 'EMPTY'],
    ['deviation', { mean: [1] }, 'WRONG_TYPE'],
    ['statistics', { mean: [1], deviation: [1], sigma: 1 }, 'UNKNOWN_OPTION'],
  ])('refuses bad %s', (argument, statistics, code) => {
    expect(refusal(() => batchNormMargins(wrong(statistics)))).toMatchObject({
      operation: 'batchNormMargins',
      argument,
      code,
    });
  });
});
