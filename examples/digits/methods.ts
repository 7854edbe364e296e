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
  /** Whether it sees the labelled images alone. */
  readonly labelledOnly: boolean;
  /** Whether unlabelled images leave the output layer alone. */
  readonly labelledOutputOnly: boolean;
  readonly createStrategy: (projection: LinearProjection) => HybridDistillationStrategy;
}

/** The label counts where there is one; the other images have the teacher's answer alone. */
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
    // The teacher's inner layers say nothing about the student's head: the labelled images have to
    // train it. The weights are those of the hybrid below, with the labels in the place of the
    // teacher's answers.
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
