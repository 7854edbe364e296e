import fc from 'fast-check';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import {
  createTeacherStore,
  openTeacherStore,
  type TeacherStoreOptions,
} from '../../src/store/index.js';
import { collect, MemoryStorage, sequencesOf, textOf } from './support.js';

const OPTIONS = { columns: 20, k: 4, teacher: 'big' };

/** Columns of two sequences with changes: `a` has two rows, `b` one. */
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

async function storeWith(
  shard: Uint8Array,
  options: TeacherStoreOptions = OPTIONS,
): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  await createTeacherStore(storage, options); // writes store.json
  storage.files.set('part.parquet', shard);
  return storage;
}

test.each([10, 1])(
  'a shard of another program is read with %s rows per row group',
  async (size) => {
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
  },
);

test('row groups may arrive in any order', async () => {
  const storage = await storeWith(shardOf({}, 1));
  const expected = sequencesOf(
    await collect((await openTeacherStore(storage)).batches({ rows: 3 })),
  );
  const read = storage.read.bind(storage);
  storage.read = async (name, range) => {
    // A read near the start of the file resolves later.
    if (range)
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, 60 - range.start / 20)));
    return read(name, range);
  };
  const store = await openTeacherStore(storage);
  expect(sequencesOf(await collect(store.batches({ rows: 3 })))).toEqual(expected);
});

test('a writer finds the keys of a foreign shard, and adds its checksum to the manifest', async () => {
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
    { indices: [[], [3, 3], [7]] },
    { log_tail: [0, -9, Math.log(0.5)] },
    { log_probabilities: [[], [-5, -Infinity], [Math.log(0.5)]], log_tail: [0, -9, Math.log(0.5)] },
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

test('a row without classes needs no tail', async () => {
  const storage = await storeWith(shardOf({ log_tail: [null, Math.log(0.25), Math.log(0.5)] }));
  const store = await openTeacherStore(storage);
  await store.verify();
  const [batch] = await collect(store.batches({ rows: 3 }));
  expect(batch!.targets!.logTail![0]).toBe(0);
});

test('dense rows that no writer stores are refused', async () => {
  const options = { ...OPTIONS, dense: { hidden: { columns: 2 } } };
  const [first, second] = [
    [1.5, 2.5],
    [3.5, 4.5],
  ];
  const verify = async (hidden: unknown[]) => {
    const storage = await storeWith(shardOf({ hidden }), options);
    await (await openTeacherStore(storage)).verify();
  };
  await verify([first, second, [5.5, 6.5]]);
  const refused = { code: 'DAMAGED', argument: 'part.parquet' };
  const rows = [[0.5], [0.5, 6, 7], null, [0.5, Number.NaN], [0.5, Infinity], [0.5, null]];
  for (const row of rows) {
    await expect(verify([first, second, row]), String(row)).rejects.toMatchObject(refused);
  }
});

test('any damage of a footer is refused with the name of the shard', async () => {
  const shard = shardOf({}, 1);
  const footer = new DataView(shard.buffer).getUint32(shard.length - 8, true) + 8;
  const flips = fc.array(fc.record({ at: fc.nat(footer - 1), bit: fc.nat(7) }), {
    minLength: 1,
    maxLength: 2,
  });
  await fc.assert(
    fc.asyncProperty(flips, async (flips) => {
      const damaged = shard.slice();
      for (const { at, bit } of flips) damaged[shard.length - 1 - at]! ^= 1 << bit;
      const reading = storeWith(damaged)
        .then((storage) => openTeacherStore(storage))
        .then((store) => collect(store.batches({ rows: 100 })));
      const error = await reading.then(
        () => undefined,
        (error: unknown) => error,
      );
      if (error === undefined) return; // some fields, as the names of encodings, are redundant
      expect(error).toMatchObject({ name: 'DistillationError', argument: 'part.parquet' });
    }),
    { numRuns: 300 },
  );
});
