import type { StrategySubject } from '../../../src/testing/index.js';
import { isNonZero } from '../_cases.js';

// Properties of the contrastive losses.

/** The minimum is where all other rows are far away, not at student = teacher. */
export const CONTRASTIVE: Omit<StrategySubject, 'create' | 'invariances'> = {
  values: 'features',
  isRegular: isNonZero,
  reachesMinimum: false,
  sumOverRows: false,
  rounding: 1e-9, // divided by the norm of a row, as small as 1/32, and by a temperature of 0.07
};

export const INVARIANCES = ['row-order', 'column-order', 'student-scale', 'teacher-scale'] as const;
