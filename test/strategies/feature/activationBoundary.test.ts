import { describe, expect, test } from 'vitest';
import {
  ActivationBoundaryDistillationStrategy,
  type FloatArray,
  float64,
  LinearProjection,
  type NumericTrait,
} from '../../../src/index.js';
import type { StrategySubject } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { PROJECTED_TOLERANCE, roundedProjection } from '../_cases.js';

/** The minimum is where all neurons are beyond the margin, not at student = teacher. */
function lawCase(create: StrategySubject['create']): StrategySubject {
  return {
    create,
    values: 'features',
    reachesMinimum: false,
    invariances: ['row-order', 'column-order', 'teacher-scale'],
  };
}

proveStrategy(ActivationBoundaryDistillationStrategy, {
  'by default': lawCase(() => new ActivationBoundaryDistillationStrategy()),
  'margin 0.3': lawCase(() => new ActivationBoundaryDistillationStrategy({ margin: 0.3 })),
  'of feature maps, projected': {
    ...lawCase(
      <T extends FloatArray>(numeric: NumericTrait<T>) =>
        new ActivationBoundaryDistillationStrategy<T>({
          projection: roundedProjection(3, 2, { numeric }),
        }),
    ),
    columns: { student: 2 * 3, teacher: 2 * 2 },
    invariances: ['row-order', 'teacher-scale'],
    float32Tolerance: PROJECTED_TOLERANCE,
  },
});

describe('ActivationBoundaryDistillationStrategy by hand', () => {
  test('sums the squared shortfalls from the margin over neurons, and takes the mean over rows', () => {
    const strategy = new ActivationBoundaryDistillationStrategy<Float64Array>();
    expect(strategy.margin).toBe(1);
    const { loss, gradient } = strategy.computeLossAndGradient(
      matrix([0.5, -2, 1.5], [0.5, -2, 0]),
      matrix([3, 3, 3], [-3, -3, 0]),
    );
    expect(loss).toBe((0.25 + 9 + 0 + 2.25 + 0 + 1) / 2);
    expect(gradient.toRows()).toEqual([
      [-0.5, -3, 0],
      [1.5, 0, 1],
    ]);
  });

  test('is 0 if and only if all neurons are at or beyond the margin', () => {
    const strategy = new ActivationBoundaryDistillationStrategy<Float64Array>({ margin: 0.25 });
    const { loss, gradient } = strategy.computeLossAndGradient(
      matrix([0.25, 9, -0.25, -9]),
      matrix([1e-300, 5, 0, -1e-300]),
    );
    expect(loss).toBe(0);
    expect(gradient.toRows()).toEqual([[0, 0, 0, 0]]);
    expect(strategy.computeLoss(matrix([0.125]), matrix([0.125]))).toBe(0.125 ** 2);
  });

  test('accepts a projection as its connector', () => {
    const projection = new LinearProjection(1, 2, { numeric: float64 });
    const [weight] = projection.parameters();
    weight!.value.data.set([1, -1]);
    const strategy = new ActivationBoundaryDistillationStrategy({ projection });
    // 2 positions: [0.5, −0.5] and [3, −3], laid out [0.5, 3, −0.5, −3]
    const { loss, gradient } = strategy.computeLossAndGradient(
      matrix([0.5, 3]),
      matrix([1, 1, 1, -1]),
    );
    expect(loss).toBe(0.25 + 2.25);
    expect(gradient.toRows()).toEqual([[-1 + 3, 0]]);
    expect(weight!.gradient.toRows()).toEqual([[-0.5, -1.5]]);
  });

  test.each([
    ['student', [Infinity, 0], [1, 1]],
    ['student', [Number.NaN, 0], [1, 1]],
    ['teacher', [0, 0], [Infinity, 1]],
    ['teacher', [9, 9], [-Infinity, 1]],
    ['teacher', [9, 9], [Number.NaN, 1]],
  ])(
    'finds an element of the %s that is not finite, although the hinge would hide it',
    (argument, s, t) => {
      const strategy = new ActivationBoundaryDistillationStrategy<Float64Array>();
      expect(refusal(() => strategy.computeLoss(matrix(s), matrix(t)))).toMatchObject({
        code: 'NOT_FINITE',
        argument,
        column: 0,
      });
    },
  );

  test.each<[string, object, string]>([
    ['margin', { margin: 0 }, 'OUT_OF_RANGE'],
    ['margin', { margin: Infinity }, 'OUT_OF_RANGE'],
    ['margin', { margin: '1' }, 'WRONG_TYPE'],
    ['options', { margins: 1 }, 'UNKNOWN_OPTION'],
  ])('refuses bad %s', (argument, options, code) => {
    const call = () => new ActivationBoundaryDistillationStrategy(wrong<object>(options));
    expect(refusal(call)).toMatchObject({
      operation: 'ActivationBoundaryDistillationStrategy',
      argument,
      code,
    });
  });
});
