import { checkNumbers, checkOptions, throwShape } from '../core/errors.js';
import { normalDensity, normalProbability } from '../kernels/rows/batchNormMargins.js';

/** Mean and deviation of each channel after a batch normalization: its parameters β and γ. */
export interface BatchNormStatistics {
  /** Means: the shift β. */
  readonly mean: ArrayLike<number>;
  /** Standard deviations: the scale γ, of either sign. */
  readonly deviation: ArrayLike<number>;
}

/**
 * Least share of negative values for which their mean is computed, from the authors' code. Below
 * it, −3 deviations are used.
 */
const LEAST_SHARE = 0.001;

/**
 * Computes the margins of a {@link MarginReLUDistillationStrategy}, one for each channel of the
 * teacher. A margin is the mean of the negative values of a normal distribution. Its mean μ and
 * deviation σ are the parameters of the batch normalization before the ReLU:
 *
 *     E[x | x < 0] = μ − σ φ(μ/σ) / Φ(−μ/σ);  −3σ where Φ(−μ/σ) ≤ 0.001
 *
 * @returns one number ≤ 0 for each channel
 * @throws {DistillationError} SHAPE_MISMATCH if the lengths differ, EMPTY without a channel,
 *   OUT_OF_RANGE for a number that is not finite
 *
 * @remarks Heo et al. (2019), "A Comprehensive Overhaul of Feature Distillation", §3,
 *   arXiv:1904.01866; −3σ is the authors' code.
 *
 * @example
 * import { batchNormMargins, MarginReLUDistillationStrategy } from 'knowledge-distillation';
 *
 * // β and γ of the teacher's layer
 * const margins = batchNormMargins({ mean: [0, 0.2], deviation: [1, 0.5] });
 * const strategy = new MarginReLUDistillationStrategy({ margins });
 */
export function batchNormMargins(statistics: BatchNormStatistics): Float64Array {
  const operation = 'batchNormMargins';
  checkOptions(operation, 'statistics', statistics, ['mean', 'deviation']);
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
