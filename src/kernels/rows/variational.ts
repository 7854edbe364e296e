// Negative log-likelihood of one row under a Gaussian around another.

import type { RowDistance } from './distance.js';

/**
 * Mean ½ ((x − y)²/σ² + log σ²) of rows in the layout [channels, positions], with a variance σ² for
 * each channel. If the derivative is computed, adds `factors` × the derivatives with respect to the
 * variances to `sums`.
 */
export function negativeLogLikelihood(
  variances: Float64Array,
  factors: Float64Array,
  sums: Float64Array,
): RowDistance {
  return (x, xOffset, y, yOffset, columns, derivative) => {
    const channels = variances.length;
    const positions = columns / channels;
    let sum = 0;
    for (let c = 0; c < channels; c++) {
      const variance = variances[c]!;
      let squares = 0;
      for (let j = c * positions; j < (c + 1) * positions; j++) {
        const u = x[xOffset + j]! - y[yOffset + j]!;
        squares += (u * u) / variance;
        if (derivative) derivative[j] = u / (variance * columns);
      }
      sum += squares + positions * Math.log(variance);
      if (derivative) sums[c]! += (factors[c]! * (positions - squares)) / (2 * variance * columns);
    }
    return sum / (2 * columns);
  };
}
