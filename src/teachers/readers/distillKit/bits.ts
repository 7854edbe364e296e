/**
 * Unpacks unsigned integers, the most significant bit first.
 *
 * @param start - index of the byte at which the first integer begins
 * @param bits - bits of an integer, at most 32: the buffer then stays exact in a double
 * @param count - number of integers
 */
export function unpackBits(
  bytes: Uint8Array,
  start: number,
  bits: number,
  count: number,
): Float64Array {
  const values = new Float64Array(count);
  let buffer = 0;
  let held = 0; // number of bits in the buffer, below 32 + 8
  let next = start;
  for (let i = 0; i < count; i++) {
    while (held < bits) {
      buffer = buffer * 256 + bytes[next++]!;
      held += 8;
    }
    held -= bits;
    const unit = 2 ** held;
    values[i] = Math.floor(buffer / unit);
    buffer %= unit;
  }
  return values;
}
