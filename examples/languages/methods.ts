import { ResponseDistillationStrategy } from 'knowledge-distillation';
import type { Method } from '../shared/training.js';

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
