// How far the exponential is above its tangent at 0: what a divergence is made of where nothing is to cancel.

import { broadcast, madd } from './lanes';

/** (e^δ − 1 − δ) / δ² for |δ| ≤ 1, lowest order first: the best fit, to 2e-9, and to 2e-16. */
const SHORT_SERIES = memory.data<f32>([
  0.49999999781421683, 0.16666666646842135, 0.04166673659523746, 0.00833333967591706, 0.0013885396911807102,
  0.00019838101968683888, 2.535851224463976e-5, 2.8062802582276946e-6,
]);
const LONG_SERIES = memory.data<f64>([
  0.5, 0.16666666666666421, 0.04166666666666651, 0.0083333333334021, 0.001388888888893181,
  0.00019841269786275093, 2.4801587267259408e-5, 2.755733806780384e-6, 2.755733098715279e-7,
  2.504897129972493e-8, 2.087479843099664e-9, 1.6309412649784643e-10, 1.1627098130423447e-11,
]);

// @ts-ignore: decorator
@inline
function series<T>(order: usize): v128 {
  return broadcast<T>(sizeof<T>() == 8 ? LONG_SERIES + 8 * order : SHORT_SERIES + 4 * order);
}

/** Two neighbouring terms of the series. */
// @ts-ignore: decorator
@inline
function pair<T>(order: usize, d: v128): v128 {
  return madd<T>(series<T>(order + 1), d, series<T>(order));
}

/** e^δ − 1 − δ for |δ| ≤ 1; in pairs, and pairs of pairs, so that no step has long to wait for another. */
// @ts-ignore: decorator
@inline
export function curveOf<T>(d: v128, d2: v128): v128 {
  const d4 = v128.mul<T>(d2, d2);
  const low = madd<T>(pair<T>(2, d), d2, pair<T>(0, d));
  let high = madd<T>(pair<T>(6, d), d2, pair<T>(4, d));
  if (sizeof<T>() == 8) {
    const top = madd<T>(series<T>(12), d4, madd<T>(pair<T>(10, d), d2, pair<T>(8, d)));
    high = madd<T>(top, d4, high);
  }
  return v128.mul<T>(madd<T>(high, d4, low), d2);
}
