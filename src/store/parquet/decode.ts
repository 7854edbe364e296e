import type { ColumnMetaData } from 'hyparquet';
import { decodeHalf } from '../../core/half.js';
import { NO_CLASS } from '../../teachers/raggedRows.js';
import type { Columns, Rows, RowTargets } from '../rows.js';
import { Cursor } from './bytes.js';
import { unpackDeltas } from './delta.js';
import { ENCODINGS } from './header.js';
import { type ReadPage, readPage } from './page.js';
import { readRuns } from './runs.js';

/** The column chunks of a row group by the name of their column, as bytes. */
export interface GroupBytes {
  readonly metadata: ReadonlyMap<string, ColumnMetaData>;
  readonly bytes: ReadonlyMap<string, Uint8Array>;
}

/** Returns the names of the columns that are needed to decode rows. */
export function neededColumns(columns: Columns, present: (name: string) => boolean): string[] {
  const names = ['key'];
  if (columns.tokens && present('token')) names.push('token');
  if (columns.labels && present('label')) names.push('label');
  if (columns.k > 0) names.push('indices', 'log_probabilities', 'log_tail');
  return [...names, ...Object.keys(columns.dense)];
}

/** Decodes the row group of a shard that this library wrote, straight into typed arrays. */
export function decodeGroup(group: GroupBytes, rows: number, columns: Columns): Rows {
  const { keys, offsets } = decodeKeys(group);
  if (offsets[keys.length] !== rows) throw new Error('the keys have another number of rows');
  const integers = (name: string) =>
    group.bytes.has(name) ? decodeIntegers(pageOf(group, name), rows) : undefined;
  const dense = Object.entries(columns.dense).map(([name, width]) => {
    const page = pageOf(group, name);
    if (page.lengths?.some((length) => length !== width) ?? true) {
      throw new Error(`rows of ${name} are not ${width} long`);
    }
    return [name, decodeFloats(page, group, name, rows * width)];
  });
  return {
    keys,
    offsets,
    tokens: integers('token'),
    labels: integers('label'),
    targets: columns.k > 0 ? decodeTargets(group, rows, columns.k) : undefined,
    dense: Object.fromEntries(dense),
  };
}

function pageOf({ bytes, metadata }: GroupBytes, name: string): ReadPage {
  const isList = metadata.get(name)!.path_in_schema.length > 1;
  const page = readPage(new Cursor(bytes.get(name)!), isList);
  if (page.header.isDictionary) throw new Error(`column ${name} has an unexpected dictionary`);
  return page;
}

/** Decodes the key of each sequence, and where it starts. */
export function decodeKeys({ bytes }: GroupBytes): { keys: string[]; offsets: Int32Array } {
  const cursor = new Cursor(bytes.get('key')!);
  const dictionary = readPage(cursor, false);
  const data = readPage(cursor, false);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const keys: string[] = [];
  for (let i = 0; i < dictionary.count; i++) {
    const [a, b, c, d] = dictionary.cursor.take(4) as unknown as [number, number, number, number];
    keys.push(decoder.decode(dictionary.cursor.take(a | (b << 8) | (c << 16) | (d << 24))));
  }
  const offsets = new Int32Array(keys.length + 1);
  let sequence = 0;
  readRuns(data.cursor, data.cursor.next(), data.count, (value, length) => {
    if (value !== sequence) throw new Error('the keys are not in order');
    sequence++;
    offsets[sequence] = offsets[sequence - 1]! + length;
  });
  if (sequence !== keys.length) throw new Error('a key has no row');
  return { keys, offsets };
}

function decodeIntegers({ header, cursor, count }: ReadPage, expected: number): Int32Array {
  if (header.encoding !== ENCODINGS.DELTA_BINARY_PACKED) throw new Error('unexpected encoding');
  if (count !== expected) throw new Error('a page has another number of values');
  return unpackDeltas(cursor, count);
}

let halves: Float32Array | undefined;

/** The value of every half. */
function tableOfHalves(): Float32Array {
  halves ??= decodeHalf(Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits));
  return halves;
}

function decodeFloats(
  { header, cursor, count }: ReadPage,
  { metadata }: GroupBytes,
  name: string,
  expected: number,
): Float32Array {
  if (header.encoding !== ENCODINGS.PLAIN) throw new Error('unexpected encoding');
  if (count !== expected) throw new Error('a page has another number of values');
  const isHalf = metadata.get(name)!.type === 'FIXED_LEN_BYTE_ARRAY';
  const bytes = cursor.take(count * (isHalf ? 2 : 4)).slice(); // aligned
  if (!isHalf) return new Float32Array(bytes.buffer);
  const bits = new Uint16Array(bytes.buffer);
  const table = tableOfHalves();
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = table[bits[i]!]!;
  return values;
}

function decodeTargets(group: GroupBytes, rows: number, k: number): RowTargets {
  const classes = pageOf(group, 'indices');
  const values = pageOf(group, 'log_probabilities');
  const counts = classes.lengths!;
  let total = 0;
  for (let row = 0; row < rows; row++) {
    if (counts[row]! > k || counts[row] !== values.lengths![row]) {
      throw new Error(`row ${row} has ${counts[row]} classes of ${values.lengths![row]} values`);
    }
    total += counts[row]!;
  }
  return {
    counts,
    indices: spread(decodeIntegers(classes, total), counts, k, NO_CLASS),
    logProbabilities: spread(
      decodeFloats(values, group, 'log_probabilities', total),
      counts,
      k,
      -Infinity,
    ),
    logTail: decodeFloats(pageOf(group, 'log_tail'), group, 'log_tail', rows),
  };
}

/** Fills rows of fewer than k values up. */
function spread<A extends Int32Array | Float32Array>(
  values: A,
  counts: Int32Array,
  k: number,
  filler: number,
): A {
  const length = counts.length * k;
  if (values.length === length) return values;
  const isInteger = values instanceof Int32Array;
  const full = (isInteger ? new Int32Array(length) : new Float32Array(length)) as A;
  full.fill(filler);
  let at = 0;
  for (const [row, count] of counts.entries()) {
    (full as Float32Array).set(values.subarray(at, at + count), row * k);
    at += count;
  }
  return full;
}
