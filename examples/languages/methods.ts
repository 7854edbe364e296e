import { ResponseDistillationStrategy } from 'knowledge-distillation';
import { agreement, mostLikely } from '../shared/statistics.js';
import type { Method } from '../shared/training.js';
import type { Judge } from './experiment.js';
import { LANGUAGE_NAMES } from './messages.js';

export const METHODS: readonly Method[] = [
  {
    name: 'labels, no teacher',
    createStrategy: () => new ResponseDistillationStrategy({ alpha: 1 }),
    labels: true,
  },
  {
    name: 'teacher, no labels',
    createStrategy: () => new ResponseDistillationStrategy({ temperature: 2 }),
    labels: false,
  },
];

/** Fractions of the held-out sentences. */
interface Score {
  /** Where the right language is named. */
  readonly accuracy: number;
  /** Where the language that the teacher names is named. */
  readonly agreement: number;
}

export const judge: Judge<Score> = (logits, teacher, languages) => {
  const chosen = mostLikely(logits, LANGUAGE_NAMES.length);
  return {
    accuracy: agreement(chosen, languages),
    agreement: agreement(chosen, mostLikely(teacher, LANGUAGE_NAMES.length)),
  };
};
