import type { StrategySubject } from '../../../src/testing/index.js';

// What several response losses promise.

export const INVARIANCES = ['row-shift', 'row-order', 'column-order'] as const;

/**
 * The gradients of several temperatures, or of losses of two kernels, are rounded one by one, and
 * may all but cancel.
 */
export const SUMMED_TOLERANCE = 1e-4;

/**
 * A teacher with a temperature of its own: the loss is least elsewhere than at student = teacher.
 */
export const COLDER = { temperature: 2, teacherTemperature: 0.7 } as const;

/**
 * Adding a constant rounds a tie away, and with it the derivative that a tie has. Where a side is
 * all but sure, a small difference of logits moves the others by less than what differences
 * resolve: a tie that they step over.
 */
export const KINKED = { invariances: ['row-order', 'column-order'], magnitude: 2 } as const;

/** What the other divergences of two distributions promise. */
export function divergence(
  create: StrategySubject['create'],
  more: Partial<StrategySubject> = {},
): StrategySubject {
  return {
    create,
    values: 'logits',
    ruledOut: true,
    invariances: INVARIANCES,
    temperatures: more.sumOverRows !== false,
    ...more,
  };
}

/**
 * What losses promise that need a class for every row: with it, they are least elsewhere, unless
 * alpha is 0.
 */
export function labeled(
  create: StrategySubject['create'],
  more: Partial<StrategySubject> = {},
): StrategySubject {
  return divergence(create, { labels: 'classes', reachesMinimum: false, ...more });
}

export const isVaried = (row: readonly number[]): boolean => row.some((value) => value !== row[0]);

/**
 * Standardized logits: no class can be ruled out. A row of equal logits is too steep for
 * differences, and one of two logits, which standardized are always ±√½ but for the 1e-7, too flat.
 */
export function standardized(create: StrategySubject['create']): StrategySubject {
  return {
    create,
    values: 'logits',
    isRegular: (row) => isVaried(row) && row.length > 2,
    invariances: ['row-order', 'column-order', 'row-shift'],
    rounding: 1e-9, // divided by a deviation that may be small
    float32Tolerance: 1e-6,
    temperatures: true,
  };
}
