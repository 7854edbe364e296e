import {
  ProbabilisticTransferDistillationStrategy,
  SimilarityPreservingDistillationStrategy,
} from '../../src/index.js';
import type { StrategySubject } from '../../src/testing/index.js';
import { isNonZero, type Subjects } from './subjects.js';

/** Its 1e-7 moves the least loss a little below that at student = teacher. */
const probabilisticTransfer: Omit<StrategySubject, 'invariances'> = {
  create: () => new ProbabilisticTransferDistillationStrategy(),
  values: 'features',
  isRegular: isNonZero,
  minimum: -1.7e-6,
  reachesMinimum: false,
  sumOverRows: false,
  // Divided by the norm of a row, which may be as small as 1/32.
  rounding: 1e-9,
};

const similarityPreserving: Omit<StrategySubject, 'invariances'> = {
  create: () => new SimilarityPreservingDistillationStrategy(),
  values: 'features',
  isRegular: isNonZero,
  sumOverRows: false,
  // Divided by the norm of a row of products, which may be small.
  rounding: 1e-9,
};

export const relationSubjects: Subjects = {
  ProbabilisticTransferDistillationStrategy: {
    'by default': { ...probabilisticTransfer, invariances: ['row-order', 'column-order'] },
    'with other columns': {
      ...probabilisticTransfer,
      columns: { student: 3, teacher: 5 },
      invariances: ['row-order'],
    },
  },
  SimilarityPreservingDistillationStrategy: {
    'by default': {
      ...similarityPreserving,
      invariances: ['row-order', 'column-order', 'student-scale', 'teacher-scale'],
    },
    'with other columns': {
      ...similarityPreserving,
      columns: { student: 3, teacher: 5 },
      invariances: ['row-order', 'student-scale', 'teacher-scale'],
    },
  },
};
