import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { createTeacherStore, openTeacherStore } from '../../src/store/index.js';
import { collect, MemoryStorage, sequencesOf, textOf } from './support.js';

const OPTIONS = { columns: 20, k: 4, teacher: 'big' };

/** Columns of two sequences, `a` of two rows and `b` of one, with changes. */
function shardOf(changes: Partial<Record<string, unknown[]>> = {}, rowGroupSize = 10): Uint8Array {
  const columns = {
    key: ['a', 'a', 'b'],
    position: [0, 1, 0],
    token: [1, 2, null],
    label: [-100, 3, null],
    indices: [null, [3, 5], [7]],
    log_probabilities: [[], [Math.log(0.5), Math.log(0.25)], [Math.log(0.5)]],
    log_tail: [0, Math.log(0.25), Math.log(0.5)],
    ...changes,
  };
  const columnData = Object.entries(columns).map(
    ([name, data]) => ({ name, data }) as ColumnSource,
  );
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize }));
}

async function storeWith(shard: Uint8Array): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  await createTeacherStore(storage, OPTIONS); // writes store.json
  storage.files.set('part.parquet', shard);
  return storage;
}

test.each([10, 1])('a shard of another program is read, %s rows in a row group', async (size) => {
  const storage = await storeWith(shardOf({}, size));
  const store = await openTeacherStore(storage);
  await store.verify();
  expect(store.size).toMatchObject({ rows: 3, sequences: 2, shards: 1 });
  const batches = await collect(store.batches({ rows: 3 }));
  const half = Math.fround(Math.log(0.5));
  const quarter = Math.fround(Math.log(0.25));
  const none = [-Infinity, -Infinity, -Infinity];
  expect(sequencesOf(batches)).toEqual([
    {
      key: 'a',
      tokens: [1, 2],
      labels: [-100, 3],
      indices: [-1, -1, -1, -1, 3, 5, -1, -1],
      values: [-Infinity, ...none, half, quarter, -Infinity, -Infinity],
      logTail: [0, quarter],
      dense: {},
    },
    {
      key: 'b',
      tokens: [-1],
      labels: [-1],
      indices: [7, -1, -1, -1],
      values: [half, ...none],
      logTail: [half],
      dense: {},
    },
  ]);
});

test('row groups may arrive in any order', async () => {
  const storage = await storeWith(shardOf({}, 1));
  const expected = sequencesOf(
    await collect((await openTeacherStore(storage)).batches({ rows: 3 })),
  );
  const read = storage.read.bind(storage);
  storage.read = async (name, range) => {
    // The nearer to the start of the file, the later.
    if (range)
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, 60 - range.start / 20)));
    return read(name, range);
  };
  const store = await openTeacherStore(storage);
  expect(sequencesOf(await collect(store.batches({ rows: 3 })))).toEqual(expected);
});

test('a writer knows its keys, and gives it a checksum in the manifest', async () => {
  const storage = await storeWith(shardOf());
  const writer = await createTeacherStore(storage, OPTIONS);
  expect(await writer.append('b', textOf(1, 2))).toBe(false);
  expect(await writer.append('c', textOf(2, 2))).toBe(true);
  await writer.close();
  const store = await openTeacherStore(storage);
  await store.verify();
  expect(store.size).toMatchObject({ sequences: 3, shards: 2 });
  storage.files.set('part.parquet', shardOf({ label: [-100, 4, null] }));
  await expect(store.verify()).rejects.toMatchObject({ code: 'DAMAGED', argument: 'part.parquet' });
});

test('rows that no writer stores are refused with the name of the shard', async () => {
  const cases: Partial<Record<string, unknown[]>>[] = [
    { key: ['a', 'b', 'b'] },
    { key: ['a', 'a', null] },
    { position: [0, 2, 0] },
    { position: [1, 2, 0] },
    { indices: [[], [3, 20], [7]] },
    { indices: [[], [3], [7]] },
    { indices: [[], [1, 2, 3, 4, 5], [7]], log_probabilities: [[], [-2, -2, -2, -2, -2], [-1]] },
    { log_probabilities: [[], [-1, 0.5], [-1]] },
    { log_tail: [0, Number.NaN, -1] },
    { label: [-100, 20, 1] },
    { token: [-2, 1, 1] },
    { token: [2n ** 33n, 1n, 1n] },
    { label: [0.5, 1, 1] },
    { indices: [[], [3, null], [7]] },
    { indices: [[], [3, 0.5], [7]] },
    { log_probabilities: [[], [-1, null], [-1]] },
    { log_tail: [0, null, -1] },
  ];
  for (const change of cases) {
    const storage = await storeWith(shardOf(change));
    const verifying = openTeacherStore(storage).then((store) => store.verify());
    await expect(verifying, Object.values(change).join(' | ')).rejects.toMatchObject({
      code: 'DAMAGED',
      argument: 'part.parquet',
    });
  }
});
