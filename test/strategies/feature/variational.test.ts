import { describe, expect, test } from 'vitest';
import {
  type FloatArray,
  float64,
  LinearProjection,
  type NumericTrait,
  type Parameter,
  VariationalDistillationStrategy,
} from '../../../src/index.js';
import { checkGradient, type StrategySubject } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { PROJECTED_TOLERANCE, roundedProjection } from '../_cases.js';

/**
 * Half the logarithm of the variance at student = teacher, which the initial variance makes ≥ 0.
 */
function lawCase(
  options: { channels: number; initialVariance?: number },
  projection?: { bias: boolean },
): StrategySubject {
  const { channels } = options;
  return {
    create: <T extends FloatArray>(numeric: NumericTrait<T>) =>
      new VariationalDistillationStrategy<T>({
        ...options,
        numeric,
        ...(projection && {
          projection: roundedProjection(2, channels, { ...projection, numeric }),
        }),
      }),
    values: 'features',
    columns: 2 * channels,
    reachesMinimum: false,
    invariances: ['row-order'],
  };
}

proveStrategy(VariationalDistillationStrategy, {
  'by default': lawCase({ channels: 3 }),
  'of a variance of 1': {
    ...lawCase({ channels: 2, initialVariance: 1 }),
    reachesMinimum: true,
  },
  'of feature maps, projected': {
    ...lawCase({ channels: 4 }, { bias: true }),
    columns: { student: 2 * 3, teacher: 4 * 3 },
    float32Tolerance: PROJECTED_TOLERANCE,
  },
});

type Options = ConstructorParameters<typeof VariationalDistillationStrategy<Float64Array>>[0];

function variational(options: Options): {
  strategy: VariationalDistillationStrategy<Float64Array>;
  scale: Parameter<Float64Array>;
} {
  const strategy = new VariationalDistillationStrategy({ numeric: float64, ...options });
  return { strategy, scale: strategy.parameters().find(({ name }) => name === 'scale')! };
}

describe('VariationalDistillationStrategy by hand', () => {
  test('is the mean of ½ ((x − y)²/σ² + log σ²), with a variance for each channel', () => {
    const { strategy, scale } = variational({ channels: 2 });
    // of the a with log(1 + eᵃ) + 1e-5 = 0.5 and 4: the derivative of σ² by a is 1 − e^−(σ² − 1e-5)
    const softplus = [0.5 - 1e-5, 4 - 1e-5];
    scale.value.data.set(softplus.map((y) => Math.log(Math.exp(y) - 1)));
    const { loss, gradient } = strategy.computeLossAndGradient(
      matrix([1, 2, 0, 4]),
      matrix([1, 1, 2, 0]),
    );
    const logs = 2 * Math.log(0.5) + 2 * Math.log(4);
    expect(loss).toBeCloseTo((0 + 1 / 0.5 + 4 / 4 + 16 / 4 + logs) / 2 / 4, 14);
    [0, 1 / 0.5, -2 / 4, 4 / 4].forEach((slope, column) => {
      expect(gradient.get(0, column)).toBeCloseTo(slope / 4, 14);
    });
    const [a = 0, b = 0] = scale.gradient.data;
    expect(a).toBeCloseTo(((2 - 1 / 0.5) / 0.5 / 8) * (1 - Math.exp(-softplus[0]!)), 14);
    expect(b).toBeCloseTo(((2 - 20 / 4) / 4 / 8) * (1 - Math.exp(-softplus[1]!)), 14);
  });

  test.each([
    [undefined, 5],
    [0.25, 0.25],
    [2e-5, 2e-5],
    [800, 800],
  ])('the initial variance %s is %d', (initialVariance, expected) => {
    const { strategy, scale } = variational({
      channels: 3,
      ...(initialVariance !== undefined && { initialVariance }),
    });
    expect(scale.value).toMatchObject({ rows: 1, columns: 3 });
    const rows = matrix([1, 2, 3]);
    const { loss, gradient } = strategy.computeLossAndGradient(rows, rows.clone());
    expect(loss).toBeCloseTo(0.5 * Math.log(expected), 10);
    expect(gradient.toRows()).toEqual([[0, 0, 0]]);
  });

  test('does not overflow for a large or a small scale', () => {
    const { strategy, scale } = variational({ channels: 1 });
    for (const [a, variance] of [
      [1e4, 1e4 + 1e-5],
      [-1e4, 1e-5],
    ] as const) {
      scale.value.data.fill(a);
      const { loss, gradient } = strategy.computeLossAndGradient(matrix([3]), matrix([1]));
      expect(loss / (0.5 * (4 / variance + Math.log(variance)))).toBeCloseTo(1, 12);
      expect(gradient.get(0, 0) / (2 / variance)).toBeCloseTo(1, 12);
      expect(scale.gradient.data[0]).toBeCloseTo(a > 0 ? 0.5 / variance : 0, 6);
    }
  });

  test('learns: gradient descent on the scale reaches the mean squared difference of each channel', () => {
    const { strategy, scale } = variational({ channels: 2 });
    const student = matrix([1, -1, 0, 0], [2, 0, 1, 0]);
    const teacher = matrix([0, 0, 2, 2], [0, 0, -1, 4]);
    for (let step = 0; step < 3000; step++) {
      strategy.computeGradient(student, teacher);
      scale.value.data.forEach((a, i) => {
        scale.value.data[i] = a - scale.gradient.data[i]!;
      });
    }
    const [first = 0, second = 0] = Array.from(scale.value.data, (a) => Math.log1p(Math.exp(a)));
    expect(first).toBeCloseTo((1 + 1 + 4 + 0) / 4, 4);
    expect(second).toBeCloseTo((4 + 4 + 4 + 16) / 4, 4);
  });

  test('accepts a projection as its regressor, and learns both', () => {
    const projection = new LinearProjection(2, 3, { bias: true, numeric: float64 });
    const { strategy } = variational({ channels: 3, projection });
    expect(strategy.parameters().map(({ name }) => name)).toEqual(['weight', 'bias', 'scale']);
    const report = checkGradient(
      strategy,
      matrix([1, -0.5, 0.3, 2], [0, 0.25, -1, 1]),
      matrix([1, 0, -1, 0.2, 0.7, 3], [0, 0, 1, 1, -1, 2]),
    );
    expect(report).toMatchObject({ passed: true, coordinates: 8 + 6 + 3 + 3 });
  });

  test('sums gradients of the scale over rows, with the weights of the loss', () => {
    const { strategy, scale } = variational({ channels: 2 });
    const call = [matrix([1, 2], [0, 4]), matrix([1, 1], [2, 0])] as const;
    strategy.computeGradient(...call);
    const once = scale.gradient.clone();
    strategy.computeGradient(...call, undefined, { normalizer: 8 });
    expect(scale.gradient.data).toEqual(once.data.map((value) => value / 4));
    strategy.computeGradient(...call);
    strategy.computeGradient(...call, undefined, { accumulate: true });
    expect(scale.gradient.data).toEqual(once.data.map((value) => 2 * value));
    strategy.computeGradient(...call, undefined, { mask: [0, 0] });
    expect(scale.gradient.data).toEqual(once.data.map(() => 0));
  });

  test('is named by the error if training has diverged', () => {
    const { strategy, scale } = variational({ channels: 2 });
    scale.value.set(0, 1, Number.NaN);
    expect(refusal(() => strategy.computeLoss(matrix([1, 2]), matrix([1, 1])))).toMatchObject({
      code: 'NOT_FINITE',
      argument: 'scale',
      column: 1,
    });
  });

  test('requires matching channels, widths and dtype', () => {
    const { strategy } = variational({ channels: 2 });
    const rows = matrix([1, 2, 3]);
    expect(refusal(() => strategy.computeLoss(rows, rows))).toMatchObject({
      code: 'SHAPE_MISMATCH',
      argument: 'teacher',
      expected: '[1, 2] (2 channels × 1 positions)',
    });
    const single = new VariationalDistillationStrategy<Float64Array>(
      wrong<Options>({ channels: 3 }),
    );
    expect(refusal(() => single.computeLoss(rows, rows))).toMatchObject({
      code: 'DTYPE_MISMATCH',
      argument: 'scale',
      message: expect.stringContaining('got float32; pass { numeric: float64 }'),
    });
  });

  test.each<[string, object | undefined, string]>([
    ['channels', undefined, 'WRONG_TYPE'],
    ['channels', {}, 'WRONG_TYPE'],
    ['channels', { channels: 0 }, 'OUT_OF_RANGE'],
    ['initialVariance', { channels: 1, initialVariance: 1e-5 }, 'OUT_OF_RANGE'],
    ['initialVariance', { channels: 1, initialVariance: Infinity }, 'OUT_OF_RANGE'],
    ['initialVariance', { channels: 1, initialVariance: 1e39 }, 'OUT_OF_RANGE'],
    ['numeric', { channels: 1, numeric: 'float64' }, 'WRONG_TYPE'],
    ['numeric', { channels: 1, numeric: null }, 'WRONG_TYPE'],
    ['options', { channels: 1, variance: 5 }, 'UNKNOWN_OPTION'],
  ])('refuses bad %s', (argument, options, code) => {
    expect(
      refusal(() => new VariationalDistillationStrategy(wrong<Options>(options))),
    ).toMatchObject({ operation: 'VariationalDistillationStrategy', argument, code });
  });
});
