/** A binary floating-point format. */
export interface FloatFormat {
  /** Binary digits of the significand. */
  readonly digits: number;
  /** Exponent of the smallest positive value. */
  readonly least: number;
  /** Largest finite value. */
  readonly largest: number;
}

/** IEEE 754 half precision. */
export const HALF: FloatFormat = { digits: 11, least: -24, largest: 65504 };

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

/**
 * Powers of 2, from 2^−160 to 2^159, at index exponent + 160. Reading a table is faster than `**`.
 */
const POWERS = Float64Array.from({ length: 320 }, (_, i) => 2 ** (i - 160));

/** Returns the distance from a finite number to the next one of a format, away from 0. */
export function spacingAt(value: number, { digits, least }: FloatFormat): number {
  single[0] = value;
  const exponent = ((singleBits[0]! >>> 23) & 0xff) - 127;
  return POWERS[Math.max(exponent - digits + 1, least) + 160]!;
}

/** Rounds to the nearest number of a format; ties go to the even significand. */
export function roundTo(value: number, format: FloatFormat): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const unit = spacingAt(value, format);
  const units = Math.abs(value) / unit;
  const below = Math.floor(units);
  const rest = units - below;
  const isUp = rest > 0.5 || (rest === 0.5 && below % 2 === 1);
  const size = (isUp ? below + 1 : below) * unit;
  const rounded = size > format.largest ? Infinity : size;
  return value < 0 ? -rounded : rounded;
}

/**
 * Factor that turns the exponent bias of half precision, 15, into that of float32, 127: 2^(127 −
 * 15).
 */
const REBIAS = 2 ** 112;

/**
 * Decodes IEEE 754 half precision from its bits. The result is exact, because float32 holds every
 * value of half precision.
 */
export function decodeHalf(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  const values = new Float32Array(words.buffer);
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i]!;
    words[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
    if ((half & 0x7c00) === 0x7c00)
      words[i]! |= 0x7f800000; // an infinity, or NaN
    else values[i]! *= REBIAS;
  }
  return values;
}
