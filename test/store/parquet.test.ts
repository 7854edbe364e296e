import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { Matrix } from '../../src/index.js';
import { createTeacherStore } from '../../src/store/index.js';
import { Bytes, Cursor } from '../../src/store/parquet/bytes.js';
import { crc32 } from '../../src/store/parquet/crc.js';
import { packDeltas, unpackDeltas } from '../../src/store/parquet/delta.js';
import { readPage, writePage } from '../../src/store/parquet/page.js';
import { MemoryStorage, targetsOf } from './support.js';

test('the checksum is CRC-32', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  expect(crc32(bytes('123456789')) >>> 0).toBe(0xcbf43926); // the check value of the catalogue
  expect(crc32(bytes(''))).toBe(0);
  expect(crc32(bytes('The quick brown fox jumps over the lazy dog')) >>> 0).toBe(0x414fa339);
});

test('integers of any size are packed and unpacked', () => {
  const integers = fc.oneof(
    fc.array(fc.integer(), { maxLength: 400 }),
    fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 400 }),
    fc.array(fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0), { maxLength: 400 }),
  );
  fc.assert(
    fc.property(integers, (values) => {
      const packed = packDeltas(Int32Array.from(values));
      const cursor = new Cursor(packed);
      expect([...unpackDeltas(cursor, values.length)]).toEqual(values);
      expect(cursor.at).toBe(packed.length);
    }),
  );
});

test('variable-length integers keep their 32 bits', () => {
  fc.assert(
    fc.property(fc.integer(), (value) => {
      const bytes = new Bytes();
      bytes.zigzag(value);
      bytes.varint(value);
      const cursor = new Cursor(bytes.take());
      expect([cursor.zigzag(), cursor.varint()]).toEqual([value, value >>> 0]);
    }),
  );
});

test('a page keeps the lengths of its lists', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1 }), (lengths) => {
      const total = lengths.reduce((sum, length) => sum + Math.max(length, 1), 0);
      const page = writePage({
        values: new Uint8Array(0),
        count: total,
        rows: lengths.length,
        encoding: 'PLAIN',
        lengths: Int32Array.from(lengths),
      });
      const read = readPage(new Cursor(page), true);
      expect([...read.lengths!]).toEqual(lengths);
      expect(read.count).toBe(lengths.reduce((sum, length) => sum + length, 0));
    }),
  );
});

test('a reader of Parquet that is not ours reads a shard', async () => {
  const storage = new MemoryStorage();
  const store = await createTeacherStore(storage, {
    columns: 5,
    k: 2,
    teacher: 'big',
    precision: 'float16',
    dense: { hidden: { columns: 2 } },
  });
  const targets = targetsOf(
    [
      [3, 1, 0, -1, -2],
      [0, 4, 2, 1, 0],
    ],
    2,
  ); // prettier-ignore
  const hidden = Matrix.fromRows([
    [1, 2],
    [3, 4],
    [5, 6],
  ]); // prettier-ignore
  await store.append('a', { targets, prompt: [4, 3], tokens: [2, 1], hidden });
  await store.append('b', { targets, prompt: [4, 3], tokens: [2, 1], hidden });
  await store.flush();
  const file = storage.files.get(storage.shards()[0]!)!.slice().buffer;
  const rows = await parquetReadObjects({ file });
  expect(rows).toHaveLength(6);
  expect(rows[1]).toEqual({
    key: 'a',
    position: 1,
    token: 3,
    label: 2,
    indices: [0, 1],
    log_probabilities: [expect.closeTo(-0.1908, 2), expect.closeTo(-2.1908, 2)],
    log_tail: expect.closeTo(targets.logTail![0]!, 6),
    hidden: [3, 4],
  });
  expect(rows[3]).toMatchObject({ key: 'b', position: 0, token: 4, label: -100, indices: [] });
  expect(rows.map(({ position }) => position)).toEqual([0, 1, 2, 0, 1, 2]);
  const { key_value_metadata } = parquetMetadata(file);
  const [{ key, value }] = key_value_metadata as [{ key: string; value: string }];
  expect(key).toBe('knowledge-distillation');
  expect(JSON.parse(value)).toMatchObject({ teacher: 'big', k: 2, version: 1 });
});
