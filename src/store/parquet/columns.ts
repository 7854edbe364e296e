import type { StorePrecision } from '../description.js';
import { encodeHalf } from '../halves.js';
import { Bytes } from './bytes.js';
import { packDeltas } from './delta.js';
import type { PageEncoding } from './header.js';
import { type Page, writePage } from './page.js';
import { writeRuns } from './runs.js';

/** A column of a row group, as bytes. */
export interface EncodedColumn {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly encodings: readonly PageEncoding[];
  /** Bytes of the dictionary page, which stands first; 0 without one. */
  readonly dictionaryBytes: number;
}

/** Encodes integers. */
export function encodeIntegers(
  values: Int32Array,
  rows: number,
  lengths?: Int32Array,
): EncodedColumn {
  const encoding = 'DELTA_BINARY_PACKED';
  return onePage({ values: packDeltas(values), encoding, rows, lengths, count: values.length });
}

/** Encodes floats, which were rounded to the precision. */
export function encodeFloats(
  values: Float32Array,
  precision: StorePrecision,
  rows: number,
  lengths?: Int32Array,
): EncodedColumn {
  const stored = precision === 'float16' ? Uint16Array.from(values, encodeHalf) : values;
  const bytes = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
  return onePage({ values: bytes, encoding: 'PLAIN', rows, lengths, count: values.length });
}

/** An empty list counts as a value of a page. */
function onePage(page: Page): EncodedColumn {
  const empty = page.lengths?.reduce((total, length) => total + (length === 0 ? 1 : 0), 0) ?? 0;
  const count = page.count + empty;
  const bytes = writePage({ ...page, count });
  return { bytes, count, encodings: [page.encoding], dictionaryBytes: 0 };
}

/** Encodes a key that repeats for every row of its sequence: a dictionary, and a run for each. */
export function encodeKeys(keys: readonly string[], offsets: Int32Array): EncodedColumn {
  const strings = new Bytes();
  const encoder = new TextEncoder();
  for (const key of keys) {
    const text = encoder.encode(key);
    strings.append(new Uint8Array(Uint32Array.of(text.length).buffer));
    strings.append(text);
  }
  const dictionary = writePage({
    values: strings.take(),
    count: keys.length,
    rows: 0,
    encoding: 'PLAIN',
    isDictionary: true,
  });
  const width = Math.max(1, 32 - Math.clz32(keys.length - 1));
  const runs = keys.map((_, i) => ({ value: i, length: offsets[i + 1]! - offsets[i]! }));
  const values = new Bytes();
  values.push(width);
  values.append(writeRuns(runs, width));
  const rows = offsets[keys.length]!;
  const encoding = 'RLE_DICTIONARY';
  const data = writePage({ values: values.take(), count: rows, rows, encoding });
  const bytes = new Bytes();
  bytes.append(dictionary);
  bytes.append(data);
  return {
    bytes: bytes.take(),
    count: rows,
    encodings: ['PLAIN', encoding],
    dictionaryBytes: dictionary.length,
  };
}
