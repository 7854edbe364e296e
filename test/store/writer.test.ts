import { expect, test, vi } from 'vitest';
import {
  createTeacherStore,
  openTeacherStore,
  type TeacherStoreOptions,
} from '../../src/store/index.js';
import { wrong } from '../support/refusal.js';
import { collect, keysOf, MemoryStorage, sequencesOf, textOf } from './support.js';

const OPTIONS: TeacherStoreOptions = { columns: 20, k: 4, teacher: 'big', shardRows: 10 };

async function keysIn(storage: MemoryStorage): Promise<string[]> {
  const store = await openTeacherStore(storage);
  return keysOf(await collect(store.batches({ rows: 100 }))).sort();
}

test('a repeated key changes nothing, before and after it is written', async () => {
  const storage = new MemoryStorage();
  const store = await createTeacherStore(storage, OPTIONS);
  expect(store.has('a')).toBe(false);
  expect(await store.append('a', textOf(1, 2))).toBe(true);
  expect(store.has('a')).toBe(true);
  expect(await store.append('a', textOf(2, 3))).toBe(false);
  expect(storage.shards()).toEqual([]);
  await store.flush();
  expect(storage.shards()).toHaveLength(1);
  expect(await store.append('a', textOf(3, 3))).toBe(false);
  await store.close();
  expect(storage.shards()).toHaveLength(1);
  expect((await openTeacherStore(storage)).size).toMatchObject({ rows: 2, sequences: 1 });
});

test('a shard is written as soon as it has enough rows', async () => {
  const storage = new MemoryStorage();
  const store = await createTeacherStore(storage, OPTIONS);
  for (let i = 0; i < 4; i++) await store.append(`${i}`, textOf(i, 3));
  expect(storage.shards()).toHaveLength(1);
  expect(storage.files.has('manifest.json')).toBe(false);
});

test('appends that are not awaited are written once each, in order', async () => {
  const storage = new MemoryStorage();
  const store = await createTeacherStore(storage, OPTIONS);
  const keys = Array.from({ length: 30 }, (_, i) => `key-${String(i).padStart(2, '0')}`);
  const added = await Promise.all(keys.map((key, i) => store.append(key, textOf(i, 2))));
  expect(added).toEqual(keys.map(() => true));
  await Promise.all([store.flush(), store.flush(), store.close()]);
  const opened = await openTeacherStore(storage);
  expect(keysOf(await collect(opened.batches({ rows: 10 })))).toEqual(keys);
});

test('a new writer continues after the last complete shard', async () => {
  const storage = new MemoryStorage();
  const first = await createTeacherStore(storage, { ...OPTIONS, writer: 'w' });
  for (let i = 0; i < 7; i++) await first.append(`${i}`, textOf(i, 3));
  // The first writer is killed here, with two unwritten sequences.
  const second = await createTeacherStore(storage, { ...OPTIONS, writer: 'w' });
  expect([0, 3, 4, 6].map((i) => second.has(`${i}`))).toEqual([true, true, false, false]);
  for (let i = 0; i < 7; i++) await second.append(`${i}`, textOf(i, 3));
  await second.close();
  expect(storage.shards().map((name) => name.slice(0, 8))).toEqual(['w-00000-', 'w-00001-']);
  expect(await keysIn(storage)).toEqual(['0', '1', '2', '3', '4', '5', '6']);
  await (await openTeacherStore(storage)).verify();
});

test('writers share a store; the last one to close lists every shard', async () => {
  const storage = new MemoryStorage();
  const a = await createTeacherStore(storage, OPTIONS);
  const b = await createTeacherStore(storage, OPTIONS);
  await a.append('a', textOf(1, 2));
  await b.append('b', textOf(2, 2));
  await b.append('both', textOf(3, 2));
  await b.flush();
  expect(a.has('b')).toBe(false);
  await a.append('both', textOf(3, 2));
  await a.flush();
  expect(a.has('b')).toBe(true); // flush finds the sequences of other writers
  await a.close();
  await b.append('late', textOf(4, 2));
  await b.close();
  const manifest = JSON.parse(new TextDecoder().decode(storage.files.get('manifest.json')));
  expect(manifest.shards.map(({ name }: { name: string }) => name)).toEqual(storage.shards());
  expect(await keysIn(storage)).toEqual(['a', 'b', 'both', 'late']);
  await (await openTeacherStore(storage)).verify();
});

test('a key that two writers write at the same time counts once', async () => {
  const storage = new MemoryStorage();
  const [a, b] = [new MemoryStorage(), new MemoryStorage()];
  for (const [writer, files] of [
    ['a', a],
    ['b', b],
  ] as const) {
    const store = await createTeacherStore(files, { ...OPTIONS, writer });
    await store.append('twice', textOf(writer === 'a' ? 1 : 2, 3));
    await store.append(`only ${writer}`, textOf(3, 3));
    await store.close();
    for (const [name, bytes] of files.files) storage.files.set(name, bytes);
  }
  const opened = await openTeacherStore(storage);
  expect(opened.size).toMatchObject({ rows: 9, sequences: 3, shards: 2 });
  const [alone] = sequencesOf(await collect((await openTeacherStore(a)).batches({ rows: 9 })));
  const read = sequencesOf(await collect(opened.batches({ rows: 9, seed: 1 })));
  expect(read.filter(({ key }) => key === 'twice')).toEqual([alone]);
  const writer = await createTeacherStore(storage, OPTIONS);
  await writer.close();
  expect((await openTeacherStore(storage)).size).toEqual(opened.size);
  await (await openTeacherStore(storage)).verify();
});

test('a failed write is repeated by the next flush', async () => {
  const storage = new MemoryStorage();
  const store = await createTeacherStore(storage, OPTIONS);
  await store.append('a', textOf(1, 2));
  const write = vi.spyOn(storage, 'write').mockRejectedValueOnce(new Error('disk full'));
  await expect(store.flush()).rejects.toThrow('disk full');
  write.mockRestore();
  expect(store.has('a')).toBe(true);
  await store.close();
  expect(await keysIn(storage)).toEqual(['a']);
});

test('a closed writer refuses appends; a second close does nothing', async () => {
  const storage = new MemoryStorage();
  const store = await createTeacherStore(storage, OPTIONS);
  await store.close();
  await store.close();
  const closed = { code: 'UNAVAILABLE', argument: 'writer' };
  await expect(store.append('a', textOf(1, 2))).rejects.toMatchObject(closed);
  await expect(store.flush()).rejects.toMatchObject(closed);
});

test('a closing writer refuses appends, and accepts them again if close() rejects', async () => {
  const storage = new MemoryStorage();
  const store = await createTeacherStore(storage, OPTIONS);
  await store.append('a', textOf(1, 2));
  const write = vi.spyOn(storage, 'write').mockRejectedValueOnce(new Error('disk full'));
  const closing = expect(store.close()).rejects.toThrow('disk full');
  const closed = { code: 'UNAVAILABLE', argument: 'writer' };
  await expect(store.append('b', textOf(2, 2))).rejects.toMatchObject(closed);
  await expect(store.flush()).rejects.toMatchObject(closed);
  await closing;
  write.mockRestore();
  expect(await store.append('b', textOf(2, 2))).toBe(true);
  await store.close();
  expect(await keysIn(storage)).toEqual(['a', 'b']);
});

test('keys of a deleted shard can be appended again', async () => {
  const storage = new MemoryStorage();
  const store = await createTeacherStore(storage, OPTIONS);
  await store.append('a', textOf(1, 2));
  await store.flush();
  await store.append('b', textOf(2, 2));
  await store.flush();
  storage.files.delete(storage.shards()[0]!);
  await store.flush();
  expect([store.has('a'), store.has('b')]).toEqual([false, true]);
  expect(await store.append('a', textOf(1, 2))).toBe(true);
  await store.close();
  expect(await keysIn(storage)).toEqual(['a', 'b']);
});

test('of two writers that create different stores at the same time, only one succeeds', async () => {
  const storage = new MemoryStorage();
  const loser = await createTeacherStore(storage, { ...OPTIONS, teacher: 'first' });
  storage.files.delete('store.json'); // as the second writer saw the storage
  const winner = await createTeacherStore(storage, OPTIONS);
  await loser.append('a', textOf(1, 2));
  await expect(loser.flush()).rejects.toMatchObject({ code: 'MISMATCH', argument: 'teacher' });
  expect(storage.shards()).toEqual([]);
  await winner.append('b', textOf(2, 2));
  await winner.close();
  expect(await keysIn(storage)).toEqual(['b']);
});

test('a store with another teacher, vocabulary or layout is refused by name', async () => {
  const storage = new MemoryStorage();
  const dense = { hidden: { columns: 3 } };
  await (await createTeacherStore(storage, { ...OPTIONS, dense })).close();
  const changes = {
    teacher: 'small',
    columns: 21,
    k: 5,
    temperature: 2,
    precision: 'float16',
    dense: { hidden: { columns: 4 } },
  };
  for (const [argument, value] of Object.entries(changes)) {
    const options = { ...OPTIONS, dense, [argument]: value } as TeacherStoreOptions;
    await expect(createTeacherStore(storage, options)).rejects.toMatchObject({
      code: 'MISMATCH',
      argument,
    });
  }
  await expect(createTeacherStore(storage, { ...OPTIONS, dense, teacher: 'x' })).rejects.toThrow(
    'createTeacherStore: teacher must be "big", as in the store, got "x"; write other outputs into another store',
  );
});

test('options out of range are refused before a file is written', async () => {
  const storage = new MemoryStorage();
  const cases: [object, string][] = [
    [{ teacher: '' }, 'teacher'],
    [{ teacher: 3 }, 'teacher'],
    [{ k: 21 }, 'k'],
    [{ k: 0 }, 'k'],
    [{ k: undefined }, 'columns'],
    [{ columns: undefined }, 'k'],
    [{ columns: undefined, k: undefined }, 'options'],
    [{ temperature: 0 }, 'temperature'],
    [{ precision: 'float64' }, 'precision'],
    [{ dense: { key: { columns: 1 } } }, 'dense'],
    [{ dense: { 'a b': { columns: 1 } } }, 'dense'],
    [{ dense: { h: { columns: 0 } } }, 'dense.h.columns'],
    [{ dense: { h: { columns: 1, precision: 'int8' } } }, 'dense.h.precision'],
    [{ shardRows: 0 }, 'shardRows'],
    [{ chunkRows: 0.5 }, 'chunkRows'],
    [{ writer: '../w' }, 'writer'],
    [{ writer: 3 }, 'writer'],
    [{ writer: 'w'.repeat(250) }, 'writer'],
    [{ chunkRow: 3 }, 'options'],
  ];
  for (const [change, argument] of cases) {
    const creating = createTeacherStore(storage, wrong({ ...OPTIONS, ...change }));
    await expect(creating).rejects.toMatchObject({ argument });
  }
  expect(storage.files.size).toBe(0);
  const { list, read } = storage;
  await expect(createTeacherStore({ list, read }, OPTIONS)).rejects.toMatchObject({
    argument: 'where.write',
  });
  for (const [where, argument] of [
    [3, 'where'],
    ['', 'where'],
    ['http://', 'where'],
    ['s3://bucket/store', 'where'],
    ['file://host/store', 'where'],
    ['file:///%zz', 'where'],
    [{ href: 'ftp://localhost/' }, 'where'],
    [{ href: 5 }, 'where.href'],
    [{ list }, 'where.read'],
  ] as const) {
    await expect(openTeacherStore(wrong(where))).rejects.toMatchObject({ argument });
  }
  await expect(createTeacherStore('https://localhost/x', OPTIONS)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  });
});
