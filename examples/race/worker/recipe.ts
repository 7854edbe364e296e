import { HybridDistillationStrategy, type LinearProjection } from 'knowledge-distillation';
import { attention, feature, response } from '../../digits/terms.js';
import type { Recipe } from './protocol.js';

/** Creates the student's loss from a recipe. */
export function createStrategy(
  { weights, temperature, alpha }: Recipe,
  projection: LinearProjection,
): HybridDistillationStrategy {
  return new HybridDistillationStrategy(
    [
      response(weights.response, { temperature, alpha }),
      attention(weights.attention),
      feature(weights.feature, projection),
    ],
    { weights: 'normalize' },
  );
}
