import type { StrategySubject } from '../../../src/testing/index.js';

// Properties that several response losses share.

export const INVARIANCES = ['row-shift', 'row-order', 'column-order'] as const;

/**
 * The gradients of several temperatures, or of the losses of two kernels, are rounded separately,
 * and may nearly cancel.
 */
export const SUMMED_TOLERANCE = 1e-4;

/** A teacher with another temperature: the minimum is not at student = teacher. */
export const COLDER = { temperature: 2, teacherTemperature: 0.7 } as const;

/**
 * Adding a constant may break a tie by rounding, and change its derivative. If a side is nearly
 * certain, a small difference of one logit moves the others by less than a difference resolves, and
 * steps over a tie.
 */
export const KINKED = { invariances: ['row-order', 'column-order'], magnitude: 2 } as const;

/** Properties of the other divergences of two distributions. */
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
 * Properties of losses that need a label in every row: the label moves the minimum away from
 * student = teacher, unless alpha is 0.
 */
export function labeled(
  create: StrategySubject['create'],
  more: Partial<StrategySubject> = {},
): StrategySubject {
  return divergence(create, { labels: 'classes', reachesMinimum: false, ...more });
}

export const isVaried = (row: readonly number[]): boolean => row.some((value) => value !== row[0]);

/**
 * Standardized logits: no class may be ruled out. A row of equal logits is too steep for
 * differences. A row of two logits is too flat, since both are ±√½ except for the 1e-7.
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
