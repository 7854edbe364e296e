import { Bytes, type Cursor } from './bytes.js';

// Parquet's hybrid of runs and packed bits: a run is a length and a value that repeats.

/** A value that repeats. */
export interface Run {
  readonly value: number;
  readonly length: number;
}

/** Writes runs of values below 2^`width`. */
export function writeRuns(runs: Iterable<Run>, width: number): Uint8Array {
  const out = new Bytes();
  for (const { value, length } of runs) {
    out.varint(length << 1);
    for (let shift = 0; shift < width; shift += 8) out.push((value >>> shift) & 0xff);
  }
  return out.take();
}

/** Writes values of one bit. */
export function packBits(values: Uint8Array): Uint8Array {
  const out = new Bytes();
  const groups = Math.ceil(values.length / 8);
  out.varint((groups << 1) | 1);
  for (let group = 0; group < groups; group++) {
    let byte = 0;
    for (let bit = 0; bit < 8; bit++) byte |= (values[8 * group + bit] ?? 0) << bit;
    out.push(byte);
  }
  return out.take();
}

/** Reads runs until they have `count` values. Packed bits come as runs of one value. */
export function readRuns(
  cursor: Cursor,
  width: number,
  count: number,
  take: (value: number, length: number) => void,
): void {
  for (let read = 0; read < count; ) {
    const header = cursor.varint();
    if ((header & 1) === 0) {
      const length = Math.min(header >>> 1, count - read);
      if (length === 0) throw new Error('a run is empty');
      let value = 0;
      for (let shift = 0; shift < width; shift += 8) value |= cursor.next() << shift;
      take(value, length);
      read += length;
      continue;
    }
    if (width !== 1) throw new Error('packed values are wider than a bit');
    for (const byte of cursor.take(header >>> 1)) {
      for (let bit = 0; bit < 8 && read < count; bit++, read++) take((byte >>> bit) & 1, 1);
    }
  }
}
