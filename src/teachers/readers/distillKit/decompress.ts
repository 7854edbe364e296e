import { unpackBits } from './bits.js';
import type { Layout } from './config.js';

/** Returns the number of bytes of the log-probabilities of a position. */
export function bytesOf({ exactCount, exact, termCount, term, bins }: Layout): number {
  return bins.reduce(
    (sum, { scale, bits, count }) => sum + scale.bytes + Math.ceil((bits * count) / 8),
    exactCount * exact.bytes + termCount * term.bytes,
  );
}

/** Decodes the log-probabilities of a position; `bytes` has the length that `bytesOf` returns. */
export function decompress(bytes: Uint8Array, layout: Layout): number[] {
  const { exactCount, exact, termCount, term, isDelta } = layout;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = exactCount * exact.bytes;
  const values = Array.from(exact.read(view, 0, exactCount));
  const coefficients = term.read(view, offset, termCount);
  offset += termCount * term.bytes;
  const residuals = readResiduals(bytes, view, offset, layout);
  values.push(...approximate(coefficients, layout).map((value, i) => value + (residuals[i] ?? 0)));
  if (!isDelta) return values;
  let sum = 0;
  return values.map((value) => {
    sum += value;
    return sum;
  });
}

/**
 * Returns Σ coefficient · term for each approximated token. DistillKit computes the sum in the
 * dtype of the terms, and stores the differences from this rounded sum as residuals.
 */
export function approximate(
  coefficients: ArrayLike<number>,
  { k, exactCount, terms, term }: Layout,
): number[] {
  // Doubles instead of float32: the terms can cancel almost completely.
  const round = term.bytes === 2 ? term.round : (value: number) => value;
  const values = terms();
  return Array.from({ length: k - exactCount }, (_, i) => {
    const products = values[i]!.map((value, n) => round(value * coefficients[n]!));
    return round(products.reduce((sum, product) => sum + product, 0));
  });
}

/** Reads the bins. A bin is a scale and signed integers, which are multiplied by the scale. */
function readResiduals(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  { bins }: Layout,
): number[] {
  let offset = start;
  return bins.flatMap(({ scale: dtype, bits, count }) => {
    const scale = dtype.read(view, offset, 1)[0]!;
    offset += dtype.bytes;
    const elements = unpackBits(bytes, offset, bits, count);
    offset += Math.ceil((bits * count) / 8);
    // A single bit is a sign. Integers of more bits are stored with an offset.
    const signed = bits === 1 ? (x: number) => 2 * x - 1 : (x: number) => x - 2 ** (bits - 1);
    return Array.from(elements, (element) => signed(element) * scale);
  });
}
