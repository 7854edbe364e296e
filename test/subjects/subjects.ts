import type { StrategySubject } from '../../src/testing/index.js';

/** By class, every option cell that changes its formula. */
export type Subjects = Record<string, Record<string, StrategySubject>>;

export const isNonZero = (row: readonly number[]): boolean =>
  row.some((value) => value !== 0 && value !== -Infinity);
