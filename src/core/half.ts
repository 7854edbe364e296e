const BIAS = 2 ** 112; // the exponents of float32 start 112 lower

/** IEEE 754 half precision, from its bits; float32 has every value of it. */
export function decodeHalf(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  const values = new Float32Array(words.buffer);
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i]!;
    words[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
    if ((half & 0x7c00) === 0x7c00)
      words[i]! |= 0x7f800000; // an infinity, or NaN
    else values[i]! *= BIAS;
  }
  return values;
}
