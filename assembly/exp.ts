// Powers of two, from which all exponentials are made: e^x = 2^(x · log₂ e).
//
// A power is counted in steps, one to the octave for f32 and 256 for f64: 2^(y / steps) is a whole number k of steps
// and a rest |f| ≤ ½. The rest is a short polynomial; the octaves of k go straight into the exponent bits, and what k
// has below an octave, in f64 only, is looked up.

import { broadcast, first, madd, splat } from './lanes';

/** Steps to an octave. */
// @ts-ignore: decorator
@inline
export function steps<T>(): f64 {
  return sizeof<T>() == 8 ? 256 : 1;
}

/** Nats to a step. */
// @ts-ignore: decorator
@inline
export function unit<T>(): f64 {
  return 0.6931471805599453 / steps<T>();
}

/**
 * The rounding number, then the polynomial of 2^(f / steps), the best relative fit: to 1e-7, and to 1e-17. Then the
 * lowest power, in steps. Places that a format has no use for hold 0.
 *
 * The rounding number is 1.5 · 2^digits, which leaves the nearest whole number in the low bits of a sum, and the bias of
 * the exponent: so that a shift makes these bits a power of two, and 0 of the lowest.
 */
const OCTAVE = memory.data<f32>([
  12583039.0, 1.0, 0.6931470036506653, 0.24022242426872253, 0.05550716072320938, 0.009671168401837349,
  0.0013264776207506657, -127.0,
]);
const STEP = memory.data<f64>([
  6755399441317632.0, 0.0, 0.0027076061740622767, 3.665565596910102e-6, 3.308302983711395e-9,
  2.2393953276859936e-12, 0.0, -261888.0,
]);

/** Where 2^(i / 256) stands for i < 256. */
let fractions: usize = 0;

/** Fills the table, and returns where it ends. */
export function placeExp(start: usize): usize {
  fractions = start;
  for (let i: usize = 0; i < 256; i++) {
    let value: f64 = 1;
    let root: f64 = 2;
    for (let bit: usize = 128; bit > 0; bit >>= 1) {
      root = sqrt(root);
      if (i & bit) value *= root;
    }
    store<f64>(start + (i << 3), value);
  }
  return start + 256 * 8;
}

/** A number of {@link OCTAVE} or {@link STEP}, by its place. */
// @ts-ignore: decorator
@inline
export function constant<T>(place: usize): v128 {
  return broadcast<T>(sizeof<T>() == 8 ? STEP + 8 * place : OCTAVE + 4 * place);
}

/** 2^(y / steps), from the lowest power, where it is 0, to some 20 octaves; a NaN stays. k0 … k6 are the constants. */
// @ts-ignore: decorator
@inline
export function exp2<T>(
  y: v128,
  k0: v128,
  k1: v128,
  k2: v128,
  k3: v128,
  k4: v128,
  k5: v128,
  k6: v128,
): v128 {
  const k = v128.add<T>(y, k0);
  const f = v128.sub<T>(y, v128.sub<T>(k, k0));
  const f2 = v128.mul<T>(f, f);
  if (sizeof<T>() == 8) {
    const octaves = i64x2.shl(v128.andnot(k, i64x2.splat(255)), 44);
    const i = fractions + ((i32x4.extract_lane(k, 0) & 255) << 3);
    const j = fractions + ((i32x4.extract_lane(k, 2) & 255) << 3);
    const power = v128.mul<T>(v128.load64_lane(j, v128.load64_zero(i), 1), octaves);
    const rest = madd<T>(f2, madd<T>(f2, k5, madd<T>(f, k4, k3)), v128.mul<T>(f, k2));
    return madd<T>(power, rest, power);
  }
  const high = madd<T>(f2, madd<T>(f, k6, k5), madd<T>(f, k4, k3));
  return v128.mul<T>(madd<T>(f2, high, madd<T>(f, k2, k1)), i32x4.shl(k, 23));
}

/** The same for a single number. */
export function power<T>(y: f64): f64 {
  return first<T>(
    exp2<T>(
      splat<T>(max(y, first<T>(constant<T>(7)))),
      constant<T>(0),
      constant<T>(1),
      constant<T>(2),
      constant<T>(3),
      constant<T>(4),
      constant<T>(5),
      constant<T>(6),
    ),
  );
}
