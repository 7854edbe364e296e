import { MarginMSEDistillationStrategy } from '../../src/index.js';
import type { Subjects } from './subjects.js';

export const rankingSubjects: Subjects = {
  MarginMSEDistillationStrategy: {
    'by default': {
      create: () => new MarginMSEDistillationStrategy(),
      values: 'features',
      invariances: ['row-shift', 'row-order'],
    },
  },
};
