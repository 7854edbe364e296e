// Logarithms of 1 + z in [½, 2]: log(1 + z) = 2 artanh s, s = z / (2 + z), |s| ≤ ⅓.

import { broadcast, madd } from '../shared/lanes';

/**
 * Coefficients of (artanh(s) / s − 1) / s² in powers of s²: the polynomials of least error in the
 * logarithm.
 */
const SHORT = memory.data<f32>([
  0.33333320168349617, 0.20003780322455603, 0.1411830990265524, 0.13425749011418575,
]);
const LONG = memory.data<f64>([
  0.33333333333333487, 0.19999999999780063, 0.14285714338330496, 0.11111106278964857, 0.09091130554209872,
  0.07686637438179002, 0.0675117123587855, 0.05161334635249541, 0.08435350330548605,
]);

@inline
function series<T>(order: usize): v128 {
  return broadcast<T>(sizeof<T>() == 8 ? LONG + 8 * order : SHORT + 4 * order);
}

/** Returns 2 (artanh s − s). The logarithm is 2s plus this number. */
@inline
export function aboveTwice<T>(s: v128): v128 {
  const z = v128.mul<T>(s, s);
  const cube = v128.mul<T>(v128.add<T>(s, s), z);
  const z2 = v128.mul<T>(z, z);
  const low = madd<T>(series<T>(1), z, series<T>(0));
  const middle = madd<T>(series<T>(3), z, series<T>(2));
  if (sizeof<T>() == 4) return v128.mul<T>(cube, madd<T>(middle, z2, low));
  const upper = madd<T>(series<T>(5), z, series<T>(4));
  const high = madd<T>(series<T>(8), z2, madd<T>(series<T>(7), z, series<T>(6)));
  const z4 = v128.mul<T>(z2, z2);
  return v128.mul<T>(cube, madd<T>(madd<T>(high, z2, upper), z4, madd<T>(middle, z2, low)));
}
