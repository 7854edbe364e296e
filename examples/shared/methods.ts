import { ResponseDistillationStrategy } from 'knowledge-distillation';
import type { Method } from './training.js';

/** Two methods for the same student: labels alone, and the teacher alone. */
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
