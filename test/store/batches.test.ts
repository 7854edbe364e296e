import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTeacherStore, openTeacherStore } from '../../src/store/index.js';
import { refusal, wrong } from '../support/refusal.js';
import { collect, keysOf, MemoryStorage, sequencesOf, textOf } from './support.js';

async function storeOf(texts: number, chunkRows: number, shardRows = 64): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  const options = { columns: 20, k: 4, teacher: 'big', writer: 'w', chunkRows, shardRows };
  const store = await createTeacherStore(storage, options);
  for (let i = 0; i < texts; i++) await store.append(`text-${i}`, textOf(i, 1 + (i % 5)));
  await store.close();
  return storage;
}

test('every part yields its sequences once, and all parts together yield all sequences', async () => {
  const store = await openTeacherStore(await storeOf(150, 8));
  const all = keysOf(await collect(store.batches({ rows: 16 })));
  expect(new Set(all).size).toBe(150);
  const seeds = fc.option(fc.integer(), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(
      seeds,
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 5, max: 40 }),
      async (seed, count, rows) => {
        const given: string[] = [];
        for (let index = 0; index < count; index++) {
          const batches = await collect(store.batches({ rows, seed, part: { index, count } }));
          for (const { offsets } of batches) expect(offsets.at(-1)).toBeLessThanOrEqual(rows);
          given.push(...keysOf(batches));
        }
        expect(given.sort()).toEqual([...all].sort());
      },
    ),
    { numRuns: 25 },
  );
});

test('a position resumes after its batch, to the bit', async () => {
  const store = await openTeacherStore(await storeOf(120, 8));
  const part = fc
    .integer({ min: 1, max: 4 })
    .chain((count) =>
      fc.record({ index: fc.integer({ min: 0, max: count - 1 }), count: fc.constant(count) }),
    );
  await fc.assert(
    fc.asyncProperty(
      fc.option(fc.integer(), { nil: undefined }),
      part,
      fc.noBias(fc.nat()),
      async (seed, part, at) => {
        const options = { rows: 11, seed, part };
        const batches = await collect(store.batches(options));
        const cut = at % (batches.length + 1);
        if (cut === 0) return;
        const from = JSON.parse(JSON.stringify(batches[cut - 1]!.position));
        const rest = await collect(store.batches({ ...options, from }));
        expect(rest).toEqual(batches.slice(cut));
      },
    ),
    { numRuns: 40 },
  );
});

test('the order depends on the seed only, and is the same on every machine', async () => {
  const store = await openTeacherStore(await storeOf(40, 8));
  const orderOf = async (seed?: number) => keysOf(await collect(store.batches({ rows: 9, seed })));
  const order = await orderOf(7);
  expect(await orderOf(7)).toEqual(order);
  expect(await orderOf(8)).not.toEqual(order);
  expect((await orderOf()).slice(0, 3)).toEqual(['text-0', 'text-1', 'text-2']);
  // This list pins the order, because positions that an earlier version saved have to stay valid.
  expect(order.slice(0, 8)).toMatchInlineSnapshot(`
    [
      "text-14",
      "text-17",
      "text-30",
      "text-19",
      "text-7",
      "text-18",
      "text-20",
      "text-0",
    ]
  `);
});

test('a shuffled epoch mixes sequences of different chunks', async () => {
  const store = await openTeacherStore(await storeOf(150, 8));
  const [first] = await collect(store.batches({ rows: 40, seed: 3 }));
  const numbers = first!.keys.map((key) => Number(key.slice(5)));
  const neighbours = numbers.filter((number, i) => number === numbers[i - 1]! + 1);
  expect(neighbours.length).toBeLessThan(numbers.length / 4);
});

test('an empty store yields no batch', async () => {
  const store = await openTeacherStore(await storeOf(0, 8));
  expect(store.size).toEqual({ rows: 0, sequences: 0, shards: 0, bytes: 0 });
  expect(await collect(store.batches({ rows: 1, seed: 1 }))).toEqual([]);
});

test('the next window is read ahead, and nothing more is read after the reader stops', async () => {
  const storage = await storeOf(150, 8);
  const store = await openTeacherStore(storage);
  for await (const _ of store.batches({ rows: 8 })) break;
  const read = storage.reads.length;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(storage.reads.length).toBe(read);
});

test('an error of a read ahead is thrown after the batches before it', async () => {
  const storage = await storeOf(150, 8);
  const store = await openTeacherStore(storage);
  const [, second] = storage.shards();
  storage.files.delete(second!);
  const keys: string[] = [];
  const reading = async () => {
    for await (const batch of store.batches({ rows: 8 })) keys.push(...batch.keys);
  };
  await expect(reading()).rejects.toMatchObject({ code: 'MISSING', argument: second });
  expect(keys.length).toBeGreaterThan(10);
});

test('options out of range are refused before iteration', async () => {
  const store = await openTeacherStore(await storeOf(20, 8));
  const of = (options: object) => refusal(() => store.batches(wrong({ rows: 9, ...options })));
  expect(of({ rows: 4 }).message).toBe(
    'TeacherStore.batches: rows must be at least 5, the rows of the longest sequence, got 4',
  );
  expect(of({ rows: 1.5 })).toMatchObject({ code: 'OUT_OF_RANGE', argument: 'rows' });
  expect(of({ seed: 0.5 })).toMatchObject({ code: 'OUT_OF_RANGE', argument: 'seed' });
  expect(of({ part: { index: 2, count: 2 } })).toMatchObject({ argument: 'part.index' });
  expect(of({ part: { index: 0, count: 0 } })).toMatchObject({ argument: 'part.count' });
  const chunks = Number(/at most (\d+)/.exec(of({ part: { index: 99, count: 100 } }).message)?.[1]);
  expect(chunks).toBeGreaterThan(2);
  expect(of({ part: { index: chunks, count: chunks + 1 } }).message).toBe(
    `TeacherStore.batches: part.count must be at most ${chunks}, the chunks of the store, got ${chunks + 1}; ` +
      'start fewer workers, or write the store with a smaller chunkRows',
  );
  expect(() =>
    store.batches({ rows: 9, part: { index: chunks - 1, count: chunks } }),
  ).not.toThrow();
  expect(of({ fields: ['hidden'] })).toMatchObject({ argument: 'fields[0]' });
  expect(of({ fields: 'targets' })).toMatchObject({ code: 'WRONG_TYPE', argument: 'fields' });
  expect(refusal(() => store.batches(wrong(undefined))).message).toBe(
    'TeacherStore.batches: options must be an object with rows, got undefined',
  );
  expect(of({ sede: 1 })).toMatchObject({ code: 'UNKNOWN_OPTION' });
});

test('a position of another seed, part or store is refused by name', async () => {
  const store = await openTeacherStore(await storeOf(20, 8));
  const options = { rows: 9, seed: 1, part: { index: 0, count: 2 } };
  const [batch] = await collect(store.batches(options));
  const from = batch!.position;
  const of = (change: object) => refusal(() => store.batches({ ...options, from, ...change }));
  expect(of({ seed: 2 })).toMatchObject({ code: 'MISMATCH', argument: 'from.seed' });
  expect(of({ seed: undefined })).toMatchObject({ argument: 'from.seed' });
  expect(of({ part: { index: 1, count: 2 } })).toMatchObject({ argument: 'from.part' });
  const other = await openTeacherStore(await storeOf(21, 8));
  expect(refusal(() => other.batches({ ...options, from }))).toMatchObject({
    code: 'MISMATCH',
    argument: 'from.store',
  });
  for (const sequences of [-1, 77]) {
    expect(of({ from: { ...from, sequences } })).toMatchObject({ argument: 'from.sequences' });
  }
  expect(of({ seed: 2 }).message).toBe(
    'TeacherStore.batches: from.seed must be 2, got 1; pass the seed and the part of the batch before',
  );
  const changed = refusal(() => other.batches({ ...options, from }));
  expect(changed.message).toMatch(
    /from.store must be "\w+", got "\w+"; the store has changed since the position was saved$/,
  );
  const keys = keysOf(await collect(store.batches({ ...options, from })));
  expect(sequencesOf([batch!]).some(({ key }) => keys.includes(key))).toBe(false);
});
