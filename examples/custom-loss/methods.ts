import { HybridDistillationStrategy, ResponseDistillationStrategy } from 'knowledge-distillation';
import { LANGUAGE_NAMES } from '../languages/messages.js';
import type { Judge } from '../shared/comparison.js';
import { agreement, mostLikely } from '../shared/statistics.js';
import type { Method } from '../shared/training.js';
import { PreferenceDistillationStrategy } from './preferences.js';

const TEMPERATURE = 2;

const createResponse = () => new ResponseDistillationStrategy({ temperature: TEMPERATURE });
const createPreference = () => new PreferenceDistillationStrategy({ temperature: TEMPERATURE });

export const METHODS: readonly Method[] = [
  { name: 'response (KL)', createStrategy: createResponse, labels: false },
  { name: 'preferences', createStrategy: createPreference, labels: false },
  {
    name: 'half of each',
    createStrategy: () =>
      new HybridDistillationStrategy([
        { strategy: createResponse(), weight: 0.5 },
        { strategy: createPreference(), weight: 0.5 },
      ]),
    labels: false,
  },
];

interface Score {
  /**
   * Fraction of the held-out sentences for which student and teacher rank the same language first.
   */
  readonly first: number;
  /**
   * Fraction of all pairs of languages, over these sentences, that the student ranks in the
   * teacher's order.
   */
  readonly order: number;
}

export const judge: Judge<Score> = (logits, teacher) => {
  const classes = LANGUAGE_NAMES.length;
  return {
    first: agreement(mostLikely(logits, classes), mostLikely(teacher, classes)),
    order: agreement(ordersOf(logits, classes), ordersOf(teacher, classes)),
  };
};

/**
 * Returns the order of each pair of classes, row by row: 1 or −1 by which of the two ranks higher,
 * 0 for a tie.
 */
function ordersOf(logits: Float32Array, classes: number): Int32Array {
  const orders: number[] = [];
  for (let start = 0; start < logits.length; start += classes) {
    for (let i = 0; i < classes; i++) {
      for (let j = 0; j < i; j++) orders.push(Math.sign(logits[start + i]! - logits[start + j]!));
    }
  }
  return Int32Array.from(orders);
}
