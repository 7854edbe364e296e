import {
  AttentionDistillationStrategy,
  FeatureDistillationStrategy,
  type FloatArray,
  HybridDistillationStrategy,
  type IDistillationStrategy,
  type NumericTrait,
  ResponseDistillationStrategy,
} from '../../src/index.js';
import { isNonZero, roundedProjection, type Subjects } from './subjects.js';

/** Nothing but the interface. */
function bare<T extends FloatArray>(strategy: IDistillationStrategy<T>): IDistillationStrategy<T> {
  return {
    temperature: 1,
    alpha: 0,
    computeLoss: (...call) => strategy.computeLoss(...call),
    computeGradient: (...call) => strategy.computeGradient(...call),
  };
}

export const hybridSubjects: Subjects = {
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
              projection: roundedProjection(3, 3, { numeric }),
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
