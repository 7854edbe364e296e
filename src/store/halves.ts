/** Smallest number that is not subnormal in half precision. */
const SMALLEST_NORMAL = 2 ** -14;

/** Spacing of subnormal numbers in half precision. */
const SUBNORMAL_SPACING = 2 ** -24;

/** Bits of infinity in half precision. */
const INFINITE = 0x7c00;

const word = new Float32Array(1);
const bits = new Uint32Array(word.buffer);

/** Bits, without a sign, of the largest half that is at most |value|. */
function truncate(value: number): number {
  const size = Math.abs(value);
  if (size < SMALLEST_NORMAL) return Math.floor(size / SUBNORMAL_SPACING);
  word[0] = size;
  return Math.min((bits[0]! >>> 13) - (112 << 10), INFINITE);
}

/** Value of a half precision number without a sign. */
function decodeHalf(half: number): number {
  if (half >= INFINITE) return Infinity;
  const fraction = half & 0x3ff;
  const exponent = half >>> 10;
  if (exponent === 0) return fraction * SUBNORMAL_SPACING;
  return (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Rounds to the nearest number of half precision, in place; ties go to the even one. */
export function roundToHalf(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    const below = truncate(value);
    const size = Math.abs(value);
    // Past the largest half, infinity stands where the next half would be.
    const next = below + 1 === INFINITE ? 65536 : decodeHalf(below + 1);
    const rest = size - decodeHalf(below) - (next - size);
    const isUp = below < INFINITE && (rest > 0 || (rest === 0 && (below & 1) === 1));
    const rounded = decodeHalf(isUp ? below + 1 : below);
    values[i] = value < 0 || Object.is(value, -0) ? -rounded : rounded;
  }
}

/**
 * Rounds the log-probabilities of a row to half precision, in place, up or down so that the sum of
 * the probabilities stays what it was: rounded to the nearest, 64 equal probabilities can be off by
 * 0.2 % together, and a strategy refuses such a row.
 *
 * @returns the sum of the probabilities after minus before
 */
export function roundLogProbabilities(values: Float32Array): number {
  let excess = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const below = truncate(value);
    const sign = value < 0 ? -1 : 1;
    const near = sign * decodeHalf(below);
    if (near === value) continue;
    const far = sign * decodeHalf(below + 1);
    const probability = Math.exp(value);
    const [byNear, byFar] = [Math.exp(near) - probability, Math.exp(far) - probability];
    const isNear = Math.abs(excess + byNear) <= Math.abs(excess + byFar);
    values[i] = isNear ? near : far;
    excess += isNear ? byNear : byFar;
  }
  return excess;
}
