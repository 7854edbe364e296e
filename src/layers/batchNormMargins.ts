import { checkNumbers, checkOptions, throwShape } from '../core/errors.js';
import { normalDensity, normalProbability } from '../kernels/rows/batchNormMargins.js';

/** Parameters of a batch normalization: mean and standard deviation of each channel after it. */
export interface BatchNormStatistics {
  /** Mean of each channel: the shift β. */
  readonly mean: ArrayLike<number>;
  /** Standard deviation of each channel: the scale γ, of either sign. */
  readonly deviation: ArrayLike<number>;
}

/**
 * Smallest share of negative values for which their mean is computed, from the authors' code. Below
 * it, the margin is −3 standard deviations.
 */
const LEAST_SHARE = 0.001;

/**
 * Computes the margins of a {@link MarginReLUDistillationStrategy}, one for each channel of the
 * teacher.
 *
 * ```math
 * m = μ − σ φ(μ / σ) / Φ(−μ / σ) if Φ(−μ / σ) > 0.001
 * m = −3 σ otherwise
 * ```
 *
 * A margin is the mean of the negative values of a normal distribution, E[x | x < 0]. Its mean μ
 * and standard deviation σ are the parameters of the batch normalization before the ReLU; φ is the
 * density and Φ the distribution function of the standard normal distribution.
 *
 * @param statistics - mean and standard deviation of each channel, finite, of the same length
 * @returns one number ≤ 0 for each channel
 * @throws {DistillationError} `SHAPE_MISMATCH` if the lengths differ, `EMPTY` without a channel,
 *   `OUT_OF_RANGE` for a number that is not finite
 * @see [Heo et al. 2019](https://arxiv.org/abs/1904.01866), §3. "A Comprehensive Overhaul of
 *   Feature Distillation"; −3 σ is the authors' code.
 *
 * @example
 * ```ts
 * import { batchNormMargins, MarginReLUDistillationStrategy } from 'knowledge-distillation';
 *
 * const margins = batchNormMargins({ mean: [0, 0.2], deviation: [1, 0.5] }); // β and γ
 * const strategy = new MarginReLUDistillationStrategy({ margins });
 * console.log(Array.from(margins, (margin) => margin.toFixed(4))); // [ '-0.7979', '-0.3344' ]
 * ```
 */
export function batchNormMargins(statistics: BatchNormStatistics): Float64Array {
  const operation = 'batchNormMargins';
  checkOptions(operation, 'statistics', statistics, ['mean', 'deviation'], ['mean', 'deviation']);
  const finite = (argument: 'mean' | 'deviation') =>
    checkNumbers(operation, argument, statistics[argument], 'be finite', Number.isFinite);
  const mean = finite('mean');
  const deviation = finite('deviation');
  if (mean.length !== deviation.length) {
    throwShape(operation, 'deviation', [deviation.length], [mean.length], 'one for each mean');
  }
  return mean.map((value, channel) => marginOf(value, Math.abs(deviation[channel]!)));
}

function marginOf(mean: number, deviation: number): number {
  if (deviation === 0) return Math.min(mean, 0);
  const ratio = mean / deviation;
  const share = normalProbability(-ratio);
  if (share <= LEAST_SHARE) return -3 * deviation;
  return mean - (deviation * normalDensity(ratio)) / share;
}
