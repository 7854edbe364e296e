// Logarithms of the lanes of a vector: log x = k · log 2 + 2 artanh(s) with s = w / (2 + w), x =
// 2^k (1 + w) and √½ ≤ 1 + w < √2. The caller passes x and z = x − 1, because each has digits that
// the other has lost. If k is 0, w is z.

import { broadcast, madd } from './lanes';

/**
 * 1, 2, log 2, then the coefficients of (2 artanh(s) − 2s) / 2s³ in powers of s², with an error of
 * 1e-8 in f32 and 1e-17 in f64.
 */
const SHORT = memory.data<f32>([1.0, 2.0, 0.6931471805599453, 0.33333331, 0.20002166, 0.14236653]);
const LONG = memory.data<f64>([
  1.0, 2.0, 0.6931471805599453, 0.3333333333333335, 0.19999999999949725, 0.14285714313000714,
  0.11111105565280363, 0.09091444716878758, 0.07665855673336498, 0.07308288210822193,
]);

/** Bits of √½ in f32; in f64, 1024 octaves less the bits of √½, and 1024 octaves. */
const SHORT_BITS = memory.data<i32>([0x3f3504f3]);
const LONG_BITS = memory.data<i64>([0x0019_5f61_9980_c433, 0x4000_0000_0000_0000]);

/**
 * 2^52, and 2^52 + 1024. Combining 2^52 with a smaller integer by `or` gives the double 2^52 +
 * integer.
 */
const DIGITS = memory.data<f64>([4503599627370496.0, 4503599627371520.0]);

@inline
function number<T>(place: usize): v128 {
  return broadcast<T>(sizeof<T>() == 8 ? LONG + 8 * place : SHORT + 4 * place);
}

/** Returns k as a number. */
@inline
function octave<T>(x: v128): v128 {
  if (sizeof<T>() == 8) {
    const counted = i64x2.shr_u(i64x2.add(x, v128.load64_splat(LONG_BITS)), 52);
    return f64x2.sub(v128.or(counted, v128.load64_splat(DIGITS)), v128.load64_splat(DIGITS + 8));
  }
  return f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.sub(x, v128.load32_splat(SHORT_BITS)), 23));
}

@inline
function isZero<T>(k: v128): v128 {
  return v128.eq<T>(k, v128.xor(k, k));
}

/** Returns w. */
@inline
function mantissa<T>(x: v128, z: v128, k: v128): v128 {
  let m: v128;
  if (sizeof<T>() == 8) {
    const counted = i64x2.shr_u(i64x2.add(x, v128.load64_splat(LONG_BITS)), 52);
    m = i64x2.add(i64x2.sub(x, i64x2.shl(counted, 52)), v128.load64_splat(LONG_BITS + 8));
  } else {
    const counted = i32x4.shr_s(i32x4.sub(x, v128.load32_splat(SHORT_BITS)), 23);
    m = i32x4.sub(x, i32x4.shl(counted, 23));
  }
  return v128.bitselect(z, v128.sub<T>(m, number<T>(0)), isZero<T>(k));
}

@inline
function artanhArgument<T>(w: v128): v128 {
  return v128.div<T>(w, v128.add<T>(w, number<T>(1)));
}

/** Returns 2 (artanh s − s). */
@inline
function aboveArgument<T>(s: v128): v128 {
  const s2 = v128.mul<T>(s, s);
  const s3 = v128.mul<T>(s2, v128.add<T>(s, s));
  if (sizeof<T>() == 4) {
    return v128.mul<T>(s3, madd<T>(madd<T>(number<T>(5), s2, number<T>(4)), s2, number<T>(3)));
  }
  const s4 = v128.mul<T>(s2, s2);
  const high = madd<T>(number<T>(9), s4, madd<T>(number<T>(8), s2, number<T>(7)));
  const low = madd<T>(madd<T>(number<T>(6), s2, number<T>(5)), s4, madd<T>(number<T>(4), s2, number<T>(3)));
  return v128.mul<T>(s3, madd<T>(v128.mul<T>(high, s4), s4, low));
}

/** Returns log x, for z = x − 1. */
@inline
export function logOf<T>(x: v128, z: v128): v128 {
  const k = octave<T>(x);
  const s = artanhArgument<T>(mantissa<T>(x, z, k));
  return madd<T>(k, number<T>(2), v128.add<T>(aboveArgument<T>(s), v128.add<T>(s, s)));
}

/**
 * Returns x log x − z ≥ 0, for z = x − 1. With x = a / b this is the term of KL(a ‖ b), divided by
 * b.
 */
@inline
export function relativeEntropy<T>(x: v128, z: v128): v128 {
  const k = octave<T>(x);
  const s = artanhArgument<T>(mantissa<T>(x, z, k));
  // The factors are in another order than in logOf. The compiler would otherwise share the product
  // of both functions, which then could not be fused with both sums.
  const rest = madd<T>(number<T>(2), k, aboveArgument<T>(s));
  // (1 + z) 2s − z. If w is z, it equals z s, which does not cancel.
  const far = v128.sub<T>(v128.mul<T>(x, v128.add<T>(s, s)), z);
  return madd<T>(x, rest, v128.bitselect(v128.mul<T>(z, s), far, isZero<T>(k)));
}
