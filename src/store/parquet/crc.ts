/** The polynomial of CRC-32, bits in reverse. */
const POLYNOMIAL = 0xedb88320;

/** Bytes that one step of the loop takes. */
const STEP = 8;

let tables: Uint32Array | undefined;

/** A table of 256 for each byte of a step: what the byte adds to the remainder. */
function makeTables(): Uint32Array {
  const table = new Uint32Array(STEP * 256);
  for (let byte = 0; byte < 256; byte++) {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++) {
      remainder = (remainder >>> 1) ^ (remainder & 1 ? POLYNOMIAL : 0);
    }
    table[byte] = remainder;
  }
  for (let i = 256; i < table.length; i++) {
    const before = table[i - 256]!;
    table[i] = (before >>> 8) ^ table[before & 0xff]!;
  }
  return table;
}

/** Returns the CRC-32 of bytes as a signed number of 32 bits, as Parquet has it. */
export function crc32(bytes: Uint8Array): number {
  tables ??= makeTables();
  const t = tables;
  const { length } = bytes;
  let remainder = -1;
  let i = 0;
  for (; i + STEP <= length; i += STEP) {
    const low =
      remainder ^
      (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    remainder =
      t[1792 + (low & 0xff)]! ^
      t[1536 + ((low >>> 8) & 0xff)]! ^
      t[1280 + ((low >>> 16) & 0xff)]! ^
      t[1024 + (low >>> 24)]! ^
      t[768 + bytes[i + 4]!]! ^
      t[512 + bytes[i + 5]!]! ^
      t[256 + bytes[i + 6]!]! ^
      t[bytes[i + 7]!]!;
  }
  for (; i < length; i++) remainder = (remainder >>> 8) ^ t[(remainder ^ bytes[i]!) & 0xff]!;
  return ~remainder;
}
