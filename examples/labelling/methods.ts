import { ResponseDistillationStrategy } from 'knowledge-distillation';

/** One way to teach a student. */
export interface Method {
  readonly name: string;
  readonly createStrategy: () => ResponseDistillationStrategy;
}

/**
 * The stored log-probabilities are at temperature 1. Classes outside of the stored list form one
 * more class.
 */
export const METHODS: readonly Method[] = [
  {
    name: 'labels, no teacher',
    createStrategy: () => new ResponseDistillationStrategy({ temperature: 1, alpha: 1 }),
  },
  {
    name: 'teacher and labels',
    createStrategy: () =>
      new ResponseDistillationStrategy({ temperature: 1, alpha: 0.3, tail: 'bucket' }),
  },
];
