/**
 * Unpacks unsigned integers of so few bits that they are exact, the most significant bit first.
 *
 * @param start - the byte at which the first one begins
 * @param bits - bits of an integer, at most 32
 */
export function unpackBits(
  bytes: Uint8Array,
  start: number,
  bits: number,
  count: number,
): Float64Array {
  const values = new Float64Array(count);
  let buffer = 0;
  let held = 0; // bits in the buffer, fewer than 32 + 8
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
