import {
  FeatureDistillationStrategy,
  HybridDistillationStrategy,
  type LinearProjection,
  ResponseDistillationStrategy,
  type WeightedStrategy,
} from 'knowledge-distillation';
import type { Method } from './training.js';

const TEMPERATURE = 2;

export const METHODS: readonly Method[] = [
  {
    name: 'labels, no teacher',
    labels: true,
    createStrategy: () =>
      new HybridDistillationStrategy([
        { strategy: new ResponseDistillationStrategy({ alpha: 1 }), weight: 1 },
      ]),
  },
  {
    name: 'response, no labels',
    labels: false,
    createStrategy: () => new HybridDistillationStrategy([response(1)]),
  },
  {
    name: 'response + feature, no labels',
    labels: false,
    createStrategy: (projection) =>
      new HybridDistillationStrategy([response(0.5), feature(0.5, projection)]),
  },
];

function response(weight: number): WeightedStrategy {
  return { strategy: new ResponseDistillationStrategy({ temperature: TEMPERATURE }), weight };
}

function feature(weight: number, projection: LinearProjection): WeightedStrategy {
  return { strategy: new FeatureDistillationStrategy({ projection }), weight, layer: 'hidden' };
}
