import { checkNumber, refuse } from './errors.js';

/** @inline Rule for the weights of a hybrid or an ensemble. */
export type WeightRule = 'sum-to-one' | 'normalize' | 'free';

/**
 * Largest accepted deviation of the sum of weights from 1: decimals such as 0.1 are not exact in
 * binary, so that their sum is not exactly 1.
 */
const WEIGHT_TOLERANCE = 1e-6;

/**
 * Throws unless the weights keep the rule; returns their sum.
 *
 * @param argumentOf - names one weight in messages
 * @param hint - hint of the error for weights that need not sum to 1
 */
export function checkWeights(
  operation: string,
  weights: readonly number[],
  rule: WeightRule,
  argumentOf: (index: number) => string,
  hint?: string,
): number {
  const most = rule === 'sum-to-one' ? 1 : Number.MAX_VALUE;
  const range = rule === 'sum-to-one' ? 'be in [0, 1]' : 'be a finite number ≥ 0';
  const inRange = (weight: number) => weight >= 0 && weight <= most;
  for (const [index, weight] of weights.entries()) {
    const isLarge = weight > most && weight < Infinity;
    checkNumber(operation, argumentOf(index), weight, range, inRange, isLarge ? hint : undefined);
  }
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const isBroken =
    rule === 'sum-to-one'
      ? Math.abs(sum - 1) > WEIGHT_TOLERANCE
      : rule === 'normalize' && !(sum > 0 && sum < Infinity);
  if (!isBroken) return sum;
  const another = sum > 0 && rule === 'sum-to-one' ? `divide each by ${sum}` : undefined;
  const addends = weights.length > 1 ? ` (${weights.join(' + ')})` : '';
  refuse(
    'WEIGHT_SUM',
    operation,
    'weights',
    rule === 'sum-to-one' ? 'sum to 1 (±1e-6)' : 'have a finite sum above 0',
    `${Number(sum.toPrecision(12))}${addends}`,
    { hint: another && (hint ?? another) },
  );
}
