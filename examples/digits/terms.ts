import {
  AttentionDistillationStrategy,
  FeatureDistillationStrategy,
  type LinearProjection,
  ResponseDistillationStrategy,
  type WeightedStrategy,
} from 'knowledge-distillation';

/** The teacher's answers and, to the part `alpha`, the true label where there is one. */
export function response(
  weight: number,
  options: { readonly temperature: number; readonly alpha: number },
): WeightedStrategy {
  return { name: 'response', strategy: new ResponseDistillationStrategy(options), weight };
}

/**
 * By divergence: the squared difference of probabilities is at most 2 / keys, mostly far less, and
 * would not matter beside the other terms.
 */
export function attention(weight: number): WeightedStrategy {
  const strategy = new AttentionDistillationStrategy({ match: 'kl', input: 'scores' });
  return { name: 'attention', strategy, weight, layer: 'attention' };
}

/** `projection` makes the student's features as wide as the teacher's. */
export function feature(weight: number, projection: LinearProjection): WeightedStrategy {
  const strategy = new FeatureDistillationStrategy({ metric: 'mse', projection });
  return { name: 'feature', strategy, weight, layer: 'features' };
}
