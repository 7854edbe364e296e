// The code of telephones (G.711): a byte a sample, with steps that grow with the amplitude.

const BIAS = 33;
/** The largest amplitude that has a code, in steps of 14 bits. */
const LARGEST = 8158;

/** Returns the byte for a sample of −1 to 1. */
export function encodeMuLaw(sample: number): number {
  const amplitude = Math.min(LARGEST, Math.round(Math.abs(sample) * 8192)) + BIAS;
  const exponent = 26 - Math.clz32(amplitude); // 0 to 7
  const mantissa = (amplitude >> (exponent + 1)) & 15;
  const code = (sample < 0 ? 128 : 0) | (exponent << 4) | mantissa;
  return ~code & 255;
}

/** Returns the sample of a byte. */
export function decodeMuLaw(byte: number): number {
  const code = ~byte;
  const exponent = (code >> 4) & 7;
  const amplitude = ((2 * (code & 15) + BIAS) << exponent) - BIAS;
  return (code & 128 ? -amplitude : amplitude) / 8192;
}
