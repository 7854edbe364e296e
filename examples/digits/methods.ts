import {
  HybridDistillationStrategy,
  type LinearProjection,
  ResponseDistillationStrategy,
  type WeightedStrategy,
} from 'knowledge-distillation';
import { attention, feature, response } from './terms.js';

/** One way to teach a student. */
export interface Method {
  readonly name: string;
  /** True if the student trains on the labelled images only. */
  readonly labelledOnly: boolean;
  /** True if unlabelled images do not train the output layer. */
  readonly labelledOutputOnly: boolean;
  readonly createStrategy: (projection: LinearProjection) => HybridDistillationStrategy;
}

/** A label enters the loss of labelled images; the loss of the others is the teacher's alone. */
const RESPONSE = { temperature: 3, alpha: 0.3 };

export const METHODS: readonly Method[] = [
  {
    name: 'labels only',
    labelledOnly: true,
    labelledOutputOnly: true,
    createStrategy: () => new HybridDistillationStrategy([labels(1)]),
  },
  {
    name: 'response',
    labelledOnly: false,
    labelledOutputOnly: false,
    createStrategy: () => new HybridDistillationStrategy([response(1, RESPONSE)]),
  },
  {
    // The teacher's inner layers do not train the student's head, so the labelled images have to.
    // The weights are the weights of the hybrid below, with labels in place of the teacher's
    // outputs.
    name: 'labels + attention + feature',
    labelledOnly: false,
    labelledOutputOnly: true,
    createStrategy: (projection) =>
      new HybridDistillationStrategy([labels(0.4), attention(0.3), feature(0.3, projection)]),
  },
  {
    name: 'hybrid 40/30/30',
    labelledOnly: false,
    labelledOutputOnly: false,
    createStrategy: (projection) =>
      new HybridDistillationStrategy([
        response(0.4, RESPONSE),
        attention(0.3),
        feature(0.3, projection),
      ]),
  },
];

function labels(weight: number): WeightedStrategy {
  return { name: 'labels', strategy: new ResponseDistillationStrategy({ alpha: 1 }), weight };
}
