/** Exponents are biased by 127 in float32 and by 15 in half precision: the difference is 112. */
const BIAS = 2 ** 112;

/**
 * Decodes IEEE 754 half precision from its bits. Exact: float32 has every value of half precision.
 */
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
