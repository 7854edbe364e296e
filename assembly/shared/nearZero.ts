// The exponential less its tangent at 0, by which divergences are computed if p and q are close.

import { broadcast, madd } from './lanes';

/**
 * The square of the largest |d| of the series, then the coefficients of (e^d − 1 − d) / d² in
 * ascending powers of d. The error is 3e-8 for |d| ≤ ½ in f32 and 8e-16 for |d| ≤ ¼ in f64.
 */
const SHORT = memory.data<f32>([
  0.25, 0.5000000121607167, 0.16666666801683436, 0.04166579123000645, 0.008333236133521863, 0.001398218604627775,
  0.00019944874441589592,
]);
const LONG = memory.data<f64>([
  0.0625, 0.5, 0.16666666666665322, 0.04166666666666555, 0.008333333336202819, 0.0013888888891279828,
  0.00019841253314374944, 2.4801573530729414e-05, 2.7592569930959876e-06, 2.758669229104366e-07,
]);

@inline
function series<T>(order: usize): v128 {
  return broadcast<T>(sizeof<T>() == 8 ? LONG + 8 * order : SHORT + 4 * order);
}

/** Whether the series holds for d, given d². */
@inline
export function isNear<T>(d2: v128): v128 {
  return v128.lt<T>(d2, series<T>(0));
}

/** Returns e^d − 1 − d for d near 0, given d². */
@inline
export function aboveTangent<T>(d: v128, d2: v128): v128 {
  return v128.mul<T>(curvature<T>(d, d2), d2);
}

/** Returns (e^d − 1 − d) / d² for d near 0, given d². */
@inline
export function curvature<T>(d: v128, d2: v128): v128 {
  const a = madd<T>(series<T>(2), d, series<T>(1));
  const b = madd<T>(series<T>(4), d, series<T>(3));
  const c = madd<T>(series<T>(6), d, series<T>(5));
  if (sizeof<T>() == 4) return madd<T>(madd<T>(c, d2, b), d2, a);
  const d4 = v128.mul<T>(d2, d2);
  const high = madd<T>(series<T>(9), d2, madd<T>(series<T>(8), d, series<T>(7)));
  return madd<T>(madd<T>(high, d2, c), d4, madd<T>(b, d2, a));
}
