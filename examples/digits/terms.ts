import {
  AttentionDistillationStrategy,
  FeatureDistillationStrategy,
  type LinearProjection,
  ResponseDistillationStrategy,
  type WeightedStrategy,
} from 'knowledge-distillation';

/** Matches the teacher's output and, with weight `alpha`, the label of a labelled image. */
export function response(
  weight: number,
  options: { readonly temperature: number; readonly alpha: number },
): WeightedStrategy {
  return { name: 'response', strategy: new ResponseDistillationStrategy(options), weight };
}

/**
 * Matches attention by KL. The squared difference of probabilities is at most 2 / keys, and mostly
 * far less, so that it would not matter beside the other terms.
 */
export function attention(weight: number): WeightedStrategy {
  const strategy = new AttentionDistillationStrategy({ match: 'kl', input: 'scores' });
  return { name: 'attention', strategy, weight, layer: 'attention' };
}

/** Matches features; `projection` maps the student's features to the teacher's width. */
export function feature(weight: number, projection: LinearProjection): WeightedStrategy {
  const strategy = new FeatureDistillationStrategy({ metric: 'mse', projection });
  return { name: 'feature', strategy, weight, layer: 'features' };
}
