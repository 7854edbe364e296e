import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { createTeacherStore, openTeacherStore } from '../../src/store/index.js';
import { collect, MemoryStorage, sequencesOf, textOf } from './support.js';

let whole: MemoryStorage;

async function storeOf(teacher: string): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  const options = { columns: 20, k: 4, teacher, writer: 'w', chunkRows: 16, shardRows: 40 };
  const store = await createTeacherStore(storage, options);
  for (let i = 0; i < 30; i++) await store.append(`text-${i}`, textOf(i, 4));
  await store.close();
  return storage;
}

beforeAll(async () => {
  whole = await storeOf('big');
});

/** Changes a copy of the store, opens it, and verifies it. */
async function verifyAfter(change: (files: Map<string, Uint8Array>) => void): Promise<void> {
  const storage = new MemoryStorage(whole.files);
  change(storage.files);
  await (await openTeacherStore(storage)).verify();
}

const flip = (bytes: Uint8Array, at: number, bit: number) => {
  const damaged = bytes.slice();
  damaged[at]! ^= 1 << bit;
  return damaged;
};

test('verify() accepts a complete store', async () => {
  await verifyAfter(() => undefined);
  expect(whole.shards().length).toBeGreaterThan(2);
});

test('verify() finds any flipped bit, and a reader never returns other rows without an error', async () => {
  const shards = whole.shards();
  const opened = await openTeacherStore(new MemoryStorage(whole.files));
  const expected = sequencesOf(await collect(opened.batches({ rows: 16 })));
  const place = fc.record({
    shard: fc.constantFrom(...shards),
    at: fc.noBias(fc.nat()), // equally likely in pages and footer
    bit: fc.integer({ min: 0, max: 7 }),
  });
  await fc.assert(
    fc.asyncProperty(place, async ({ shard, at, bit }) => {
      const bytes = whole.files.get(shard)!;
      const damaged = flip(bytes, at % bytes.length, bit);
      const storage = new MemoryStorage(whole.files);
      storage.files.set(shard, damaged);
      const store = await openTeacherStore(storage);
      await expect(store.verify()).rejects.toMatchObject({ code: 'DAMAGED', argument: shard });
      const read = await collect(store.batches({ rows: 16 })).then(sequencesOf, (error) => error);
      if (Array.isArray(read)) expect(read).toEqual(expected);
      else expect(read).toMatchObject({ operation: 'TeacherStore.batches', argument: shard });
    }),
    { numRuns: 300 },
  );
});

test('a shard with a damaged seal is named when it is read', async () => {
  const [first] = whole.shards() as [string];
  const text = Array.from(whole.files.get(first)!, (byte) => String.fromCharCode(byte)).join('');
  for (const [from, to] of [
    ['"columns":["', '"columnz":["'],
    ['{"store":', '{"stare":'],
    ['"layout":"', '"layaut":"'],
  ] as const) {
    expect(text).toContain(from);
    const storage = new MemoryStorage(whole.files);
    const damaged = Uint8Array.from(text.replace(from, to), (letter) => letter.charCodeAt(0));
    storage.files.set(first, damaged);
    const store = await openTeacherStore(storage);
    await expect(collect(store.batches({ rows: 16 })), to).rejects.toMatchObject({
      code: 'DAMAGED',
      argument: first,
    });
  }
});

test('verify() names a file that is truncated, missing, foreign or unlisted', async () => {
  const [first, second] = whole.shards() as [string, string];
  const other = await storeOf('other');
  const [foreign] = other.shards() as [string];
  const cases: [(files: Map<string, Uint8Array>) => void, string, string][] = [
    [(files) => files.set(first, files.get(first)!.slice(0, -1)), first, 'DAMAGED'],
    [(files) => files.set(first, new Uint8Array(0)), first, 'DAMAGED'],
    [(files) => files.set(first, files.get(second)!), first, 'DAMAGED'],
    [(files) => files.delete(second), second, 'MISSING'],
    [(files) => files.set(foreign, other.files.get(foreign)!), foreign, 'MISMATCH'],
    [(files) => files.set('notes.parquet', new Uint8Array(50)), 'notes.parquet', 'DAMAGED'],
    [(files) => files.set('store.json', new Uint8Array(9)), 'store.json', 'DAMAGED'],
    [
      (files) => files.set('manifest.json', flip(files.get('manifest.json')!, 200, 1)),
      'manifest.json',
      'DAMAGED',
    ],
    [(files) => files.delete('store.json'), 'store.json', 'MISSING'],
  ];
  for (const [change, argument, code] of cases) {
    await expect(verifyAfter(change), argument).rejects.toMatchObject({ argument, code });
  }
});

test('verify() reports a shard that was committed but not listed, and readers read it', async () => {
  const storage = new MemoryStorage(whole.files);
  const store = await createTeacherStore(storage, {
    columns: 20,
    k: 4,
    teacher: 'big',
    writer: 'x',
  });
  await store.append('late', textOf(1, 2));
  await store.flush(); // the writer is killed before it closes
  const opened = await openTeacherStore(storage);
  expect(opened.size.sequences).toBe(31);
  const [late] = storage.shards().slice(-1);
  await expect(opened.verify()).rejects.toMatchObject({ code: 'MISMATCH', argument: late });
  await (await createTeacherStore(storage, { columns: 20, k: 4, teacher: 'big' })).close();
  await (await openTeacherStore(storage)).verify();
});

test('verify() accepts a store that is being written and has no list yet', async () => {
  const storage = new MemoryStorage();
  const store = await createTeacherStore(storage, { columns: 20, k: 4, teacher: 'big' });
  await store.append('a', textOf(1, 2));
  await store.flush();
  const opened = await openTeacherStore(storage);
  await store.append('b', textOf(2, 2));
  await store.flush();
  await opened.verify();
  expect(opened.size.shards).toBe(1);
});

test('the hint for a damaged shard repairs the store', async () => {
  const storage = new MemoryStorage(whole.files);
  const [first] = storage.shards() as [string];
  storage.files.set(first, flip(storage.files.get(first)!, 100, 1));
  const reading = openTeacherStore(storage).then((store) => collect(store.batches({ rows: 16 })));
  await expect(reading).rejects.toThrow(
    /must hold the rows of a shard, got .*; delete it, append its keys again with a new writer, and close that$/,
  );
  storage.files.delete(first);
  const writer = await createTeacherStore(storage, { columns: 20, k: 4, teacher: 'big' });
  const added: boolean[] = [];
  for (let i = 0; i < 30; i++) added.push(await writer.append(`text-${i}`, textOf(i, 4)));
  expect(added).toContain(true);
  await writer.close();
  const store = await openTeacherStore(storage);
  await store.verify();
  expect(store.size.sequences).toBe(30);
});

test('a store without a manifest is read from its shards', async () => {
  const storage = new MemoryStorage(whole.files);
  storage.files.delete('manifest.json');
  const opened = await openTeacherStore(storage);
  await opened.verify();
  expect(opened.size).toEqual((await openTeacherStore(whole)).size);
});
