import fc from 'fast-check';
import type { FloatArray } from 'knowledge-distillation';
import { type Law, strategyLaws } from 'knowledge-distillation/testing';
import { PreferenceDistillationStrategy } from './preferences.js';

/**
 * The laws of the preference loss. In a test runner: `for (const law of LAWS) test(law.name,
 * law.check)`.
 */
export const LAWS: readonly Law[] = strategyLaws(fc, {
  create: <T extends FloatArray>() => new PreferenceDistillationStrategy<T>({ temperature: 2 }),
  values: 'logits',
  ruledOut: true,
  invariances: ['row-shift', 'row-order', 'column-order'],
});
