import { BinaryDistillationStrategy } from 'knowledge-distillation';

/** One way to teach a student. */
export interface Method {
  readonly name: string;
  readonly strategy: BinaryDistillationStrategy;
  /** True if the strategy is given the truth. */
  readonly labels: boolean;
}

/**
 * Two methods for the same student. A frame has a single logit, of speech against its absence:
 * `Binary` compares the two probabilities, where a softmax of one class would always be 1. The
 * temperature is 1: the teacher's answers already are soft where it doubts.
 */
export const METHODS: readonly Method[] = [
  {
    name: 'teacher, no labels',
    strategy: new BinaryDistillationStrategy({ temperature: 1 }),
    labels: false,
  },
  {
    name: 'labels, no teacher',
    strategy: new BinaryDistillationStrategy({ alpha: 1 }),
    labels: true,
  },
];
