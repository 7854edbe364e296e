import { checkNumbers, checkOptions, throwShape } from '../core/errors.js';
import { normalDensity, normalProbability } from '../kernels/rows/batchNormMargins.js';

/** The distribution of each channel after a batch normalization, as its parameters say it. */
export interface BatchNormStatistics {
  /** Means: the shift β. */
  readonly mean: ArrayLike<number>;
  /** Standard deviations: the scale γ, of either sign. */
  readonly deviation: ArrayLike<number>;
}

/** Where fewer values than this share are negative, their mean is nowhere: the authors then take −3 deviations. */
const LEAST_SHARE = 0.001;

/**
 * The margins of a {@link MarginReLUDistillationStrategy}, one for each channel of the teacher: the mean of its negative
 * values, of a normal distribution with the mean μ and deviation σ that the batch normalization before the ReLU gives them:
 *
 *     E[x | x < 0] = μ − σ φ(μ/σ) / Φ(−μ/σ);  −3σ where Φ(−μ/σ) ≤ 0.001
 *
 * Returns numbers ≤ 0. Throws `DistillationError`: SHAPE_MISMATCH (lengths differ), EMPTY, OUT_OF_RANGE (not finite).
 *
 * Heo et al. (2019), "A Comprehensive Overhaul of Feature Distillation", §3, arXiv:1904.01866; −3σ is the authors' code.
 *
 * @example
 * import { batchNormMargins, MarginReLUDistillationStrategy } from 'knowledge-distillation';
 *
 * const margins = batchNormMargins({ mean: [0, 0.2], deviation: [1, 0.5] }); // β and γ of the teacher's layer
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
