import { Bytes, type Cursor } from './bytes.js';

// DELTA_BINARY_PACKED: differences, less the smallest of their block, in as few bits as the
// largest of their miniblock needs. Differences wrap around at 32 bits.

const BLOCK = 128;
const MINIBLOCKS = 4;
const MINIBLOCK = BLOCK / MINIBLOCKS;

/** Writes integers of 32 bits. */
export function packDeltas(values: Int32Array): Uint8Array {
  const out = new Bytes();
  out.varint(BLOCK);
  out.varint(MINIBLOCKS);
  out.varint(values.length);
  out.zigzag(values[0] ?? 0);
  const deltas = new Int32Array(BLOCK);
  for (let start = 1; start < values.length; start += BLOCK) {
    const count = Math.min(BLOCK, values.length - start);
    let least = 2 ** 31 - 1;
    for (let i = 0; i < count; i++) {
      deltas[i] = values[start + i]! - values[start + i - 1]!;
      least = Math.min(least, deltas[i]!);
    }
    deltas.fill(least, count);
    writeBlock(out, deltas, least);
  }
  return out.take();
}

function writeBlock(out: Bytes, deltas: Int32Array, least: number): void {
  out.zigzag(least);
  const widths: number[] = [];
  for (let start = 0; start < BLOCK; start += MINIBLOCK) {
    let used = 0;
    for (let i = start; i < start + MINIBLOCK; i++) used |= deltas[i]! - least;
    widths.push(32 - Math.clz32(used));
  }
  for (const width of widths) out.push(width);
  for (const [miniblock, width] of widths.entries()) {
    const packed = new Uint8Array((MINIBLOCK * width) / 8);
    for (let i = 0; i < MINIBLOCK; i++) {
      const residual = (deltas[miniblock * MINIBLOCK + i]! - least) >>> 0;
      for (let bit = 0; bit < width; ) {
        const place = i * width + bit;
        const shift = place & 7;
        packed[place >>> 3]! |= ((residual >>> bit) << shift) & 0xff;
        bit += 8 - shift;
      }
    }
    out.append(packed);
  }
}

/** Reads integers that `packDeltas` wrote. */
export function unpackDeltas(cursor: Cursor, count: number): Int32Array {
  const block = cursor.varint();
  const miniblocks = cursor.varint();
  const size = block / miniblocks;
  if (cursor.varint() !== count) throw new Error('a page has another number of values');
  if (!Number.isInteger(size) || size % 32 !== 0)
    throw new Error('a block has no whole miniblocks');
  const values = new Int32Array(count);
  let value = cursor.zigzag();
  if (count > 0) values[0] = value;
  for (let at = 1; at < count; ) {
    const least = cursor.zigzag();
    const widths = cursor.take(miniblocks);
    for (let i = 0; i < miniblocks && at < count; i++) {
      const width = widths[i]!;
      const first = cursor.at;
      cursor.take((size * width) / 8); // throws at the end of the data
      const end = Math.min(at + size, count);
      value = unpack({ data: cursor.data, first, width, least }, values, [at, end], value);
      at = end;
    }
  }
  return values;
}

/** Where packed differences are. */
interface Miniblock {
  readonly data: Uint8Array;
  /** First byte. */
  readonly first: number;
  /** Bits of a difference. */
  readonly width: number;
  readonly least: number;
}

/** Unpacks a miniblock to `values`, from `at` to `end`; returns the last value. */
function unpack(
  { data, first, width, least }: Miniblock,
  values: Int32Array,
  [at, end]: readonly [at: number, end: number],
  before: number,
): number {
  let value = before;
  const mask = width === 32 ? -1 : 2 ** width - 1;
  let bit = 0;
  for (let i = at; i < end; i++) {
    const byte = first + (bit >>> 3);
    const shift = bit & 7;
    // Past the end of the data, an element is undefined, which is 0 as an operand.
    let word = data[byte]! | (data[byte + 1]! << 8) | (data[byte + 2]! << 16);
    word = (word | (data[byte + 3]! << 24)) >>> shift;
    if (shift + width > 32) word |= data[byte + 4]! << (32 - shift);
    value = (value + least + (word & mask)) | 0;
    values[i] = value;
    bit += width;
  }
  return value;
}
