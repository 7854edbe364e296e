// Logarithms, in doubles, of two numbers at a time: log m = 2 artanh((m − 1) / (m + 1)).

/** log x of positive, normal numbers; `above` is x − 1, with the digits that x has lost of it. */
function logarithm(x: v128, above: v128): v128 {
  // x = m · 2^octave with m between √½ and √2. The exponent is counted from 1024 below, so as to be positive.
  const counted = i64x2.shr_u(i64x2.add(x, i64x2.splat(0x0019_5f61_9980_c433)), 52);
  const octaveBits = i64x2.shl(counted, 52);
  const m = i64x2.add(i64x2.sub(x, octaveBits), i64x2.splat(0x4000_0000_0000_0000));
  // A whole number below 2^52, written into the digits of 2^52.
  const octave = f64x2.sub(
    v128.or(counted, f64x2.splat(4503599627370496.0)),
    f64x2.splat(4503599627370496.0 + 1024.0),
  );
  const one = f64x2.splat(1);
  const isWithin = f64x2.eq(octave, f64x2.splat(0));
  const numerator = v128.bitselect(above, f64x2.sub(m, one), isWithin);
  const s = f64x2.div(numerator, f64x2.add(f64x2.splat(2), v128.bitselect(above, f64x2.sub(m, one), isWithin)));
  const z = f64x2.mul(s, s);
  // artanh(s) / s = 1 + z / 3 + …, the best fit, to 1e-17.
  let series = f64x2.splat(0.07308288210822193);
  series = f64x2.add(f64x2.mul(series, z), f64x2.splat(0.07665855673336498));
  series = f64x2.add(f64x2.mul(series, z), f64x2.splat(0.09091444716878758));
  series = f64x2.add(f64x2.mul(series, z), f64x2.splat(0.11111105565280363));
  series = f64x2.add(f64x2.mul(series, z), f64x2.splat(0.14285714313000714));
  series = f64x2.add(f64x2.mul(series, z), f64x2.splat(0.19999999999949725));
  series = f64x2.add(f64x2.mul(series, z), f64x2.splat(0.3333333333333335));
  const double = f64x2.add(s, s);
  const small = f64x2.add(double, f64x2.mul(double, f64x2.mul(z, series)));
  // log 2 in two parts: the product with the first is exact.
  const low = f64x2.add(small, f64x2.mul(octave, f64x2.splat(1.9082149292705877e-10)));
  return f64x2.add(f64x2.mul(octave, f64x2.splat(0.6931471803691238)), low);
}

export function logOfTwo(x: v128): v128 {
  return logarithm(x, f64x2.sub(x, f64x2.splat(1)));
}

/** log(1 + x) for x ≥ 0, with all digits of a small x. */
export function logOnePlusOfTwo(x: v128): v128 {
  return logarithm(f64x2.add(x, f64x2.splat(1)), x);
}

export function log(x: f64): f64 {
  return f64x2.extract_lane(logOfTwo(f64x2.splat(x)), 0);
}

export function logOnePlus(x: f64): f64 {
  return f64x2.extract_lane(logOnePlusOfTwo(f64x2.splat(x)), 0);
}
