import {
  AttentionDistillationStrategy,
  AttentionTransferDistillationStrategy,
  FeatureDistillationStrategy,
  type FloatArray,
  HybridDistillationStrategy,
  type IDistillationStrategy,
  LinearProjection,
  type NumericTrait,
  ResponseDistillationStrategy,
} from '../src/index.js';
import type { StrategySubject } from '../src/testing/index.js';

const responseInvariances = ['row-shift', 'row-order', 'column-order'] as const;
const isNonZero = (row: readonly number[]) =>
  row.some((value) => value !== 0 && value !== -Infinity);

function response(
  options: ConstructorParameters<typeof ResponseDistillationStrategy>[0],
): StrategySubject {
  return {
    create: () => new ResponseDistillationStrategy(options),
    values: 'logits',
    ruledOut: true,
    invariances: responseInvariances,
    // Terms may all but cancel, down to a rounding of theirs in float32; test/kernels has the sharp bounds.
    float32Tolerance: 1e-4,
  };
}

function attention(
  match: 'mse' | 'kl' | 'cosine',
  input: 'probabilities' | 'scores',
): StrategySubject {
  return {
    create: () => new AttentionDistillationStrategy({ match, input }),
    values: input === 'scores' ? 'features' : 'probabilities',
    ruledOut: input === 'scores',
    isRegular: match === 'cosine' ? isNonZero : () => true,
    invariances: [
      'row-order',
      'column-order',
      ...(match === 'kl' && input === 'scores' ? (['row-shift'] as const) : []),
      ...(match === 'cosine' && input === 'scores'
        ? (['student-scale', 'teacher-scale'] as const)
        : []),
    ],
    // Divided by the norm of a row, which may be as small as 1/32.
    ...(match === 'cosine' && { rounding: 1e-9 }),
  };
}

function feature(
  metric: 'mse' | 'cosine' | 'l1' | 'huber',
  projection?: { bias: boolean },
  delta?: number,
): StrategySubject {
  const create = <T extends FloatArray>(numeric: NumericTrait<T>) =>
    new FeatureDistillationStrategy<T>({
      metric,
      ...(delta !== undefined && { delta }),
      ...(projection && { projection: new LinearProjection(3, 4, { ...projection, numeric }) }),
    });
  return {
    create,
    values: 'features',
    ...(projection && { columns: { student: 3, teacher: 4 } }),
    isRegular: metric === 'cosine' ? isNonZero : () => true,
    invariances: projection
      ? ['row-order']
      : [
          'row-order',
          'column-order',
          ...(metric === 'cosine' ? (['student-scale', 'teacher-scale'] as const) : []),
        ],
    // The weights themselves are rounded to float32.
    ...(projection && { float32Tolerance: 1e-5 }),
    ...(metric === 'cosine' && { rounding: 1e-9 }),
  };
}

/** Nothing but the interface. */
function bare<T extends FloatArray>(strategy: IDistillationStrategy<T>): IDistillationStrategy<T> {
  return {
    temperature: 1,
    alpha: 0,
    computeLoss: (...call) => strategy.computeLoss(...call),
    computeGradient: (...call) => strategy.computeGradient(...call),
  };
}

/** Every exported strategy, by class, with every option cell that changes its formula. */
export const subjects: Record<string, Record<string, StrategySubject>> = {
  ResponseDistillationStrategy: {
    'by default': response({}),
    'T = 1, alpha = 1': response({ temperature: 1, alpha: 1 }),
    'T = 0.5, alpha = 0': response({ temperature: 0.5, alpha: 0 }),
    'T = 0.05': response({ temperature: 0.05 }),
    'T = 100': response({ temperature: 100 }),
    'T = 20, alpha = 0.9': response({ temperature: 20, alpha: 0.9 }),
    'without T²': response({ temperature: 4, temperatureSquared: false }),
  },
  AttentionDistillationStrategy: {
    'mse of probabilities': attention('mse', 'probabilities'),
    'kl of probabilities': attention('kl', 'probabilities'),
    'cosine of probabilities': attention('cosine', 'probabilities'),
    'mse of scores': attention('mse', 'scores'),
    'kl of scores': attention('kl', 'scores'),
    'cosine of scores': attention('cosine', 'scores'),
  },
  AttentionTransferDistillationStrategy: {
    'by default': {
      create: () => new AttentionTransferDistillationStrategy({ channels: 2 }),
      isRegular: isNonZero,
      values: 'features',
      columns: 6,
      invariances: ['row-order', 'student-scale', 'teacher-scale'],
      rounding: 1e-9,
    },
    'with other channels': {
      create: () =>
        new AttentionTransferDistillationStrategy({ channels: { student: 1, teacher: 3 } }),
      isRegular: isNonZero,
      values: 'features',
      columns: { student: 3, teacher: 9 },
      invariances: ['row-order'],
    },
    'power 4': {
      create: () => new AttentionTransferDistillationStrategy({ channels: 3, power: 4 }),
      isRegular: isNonZero,
      values: 'features',
      columns: 6,
      invariances: ['row-order'],
    },
    'power 1': {
      create: () => new AttentionTransferDistillationStrategy({ channels: 3, power: 1 }),
      isRegular: isNonZero,
      values: 'features',
      columns: 6,
      invariances: ['row-order'],
    },
  },
  FeatureDistillationStrategy: {
    mse: feature('mse'),
    l1: feature('l1'),
    huber: feature('huber'),
    cosine: feature('cosine'),
    'huber, delta 0.3': feature('huber', undefined, 0.3),
    'mse, projected': feature('mse', { bias: false }),
    'l1, projected': feature('l1', { bias: true }),
    'huber, projected with a bias': feature('huber', { bias: true }),
    'cosine, projected': feature('cosine', { bias: true }),
  },
  HybridDistillationStrategy: {
    'of two': {
      create: <T extends FloatArray>() =>
        new HybridDistillationStrategy<T>([
          { strategy: new ResponseDistillationStrategy(), weight: 0.6 },
          { strategy: new FeatureDistillationStrategy(), weight: 0.4 },
        ]),
      values: 'logits',
      invariances: ['row-order', 'column-order'],
    },
    'of a cosine, a projection and a bare implementation': {
      create: <T extends FloatArray>(numeric: NumericTrait<T>) =>
        new HybridDistillationStrategy<T>([
          { strategy: new FeatureDistillationStrategy({ metric: 'cosine' }), weight: 0.5 },
          {
            strategy: new FeatureDistillationStrategy<T>({
              projection: new LinearProjection(3, 3, { numeric }),
            }),
            weight: 0.25,
          },
          { strategy: bare(new FeatureDistillationStrategy<T>()), weight: 0.25 },
        ]),
      values: 'features',
      columns: 3,
      isRegular: isNonZero,
      minimum: 0,
      reachesMinimum: false,
      invariances: ['row-order'],
      float32Tolerance: 1e-4,
      rounding: 1e-9,
    },
    'nested, free weights, one of them 0': {
      create: <T extends FloatArray>() =>
        new HybridDistillationStrategy<T>(
          [
            {
              strategy: new HybridDistillationStrategy<T>(
                [
                  { strategy: new ResponseDistillationStrategy({ temperature: 2 }), weight: 3 },
                  { strategy: new FeatureDistillationStrategy({ metric: 'huber' }), weight: 1 },
                ],
                { weights: 'normalize' },
              ),
              weight: 2,
            },
            { strategy: new AttentionDistillationStrategy({ input: 'scores' }), weight: 0.5 },
            { strategy: new FeatureDistillationStrategy({ metric: 'l1' }), weight: 0 },
          ],
          { weights: 'free', temperature: 5, alpha: 0.8 },
        ),
      values: 'logits',
      invariances: ['row-order', 'column-order'],
    },
  },
};
