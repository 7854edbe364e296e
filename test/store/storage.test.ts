import { beforeAll, expect, test } from 'vitest';
import {
  createTeacherStore,
  openTeacherStore,
  type TeacherStorage,
} from '../../src/store/index.js';
import { wrong } from '../support/refusal.js';
import { collect, keysOf, MemoryStorage, sequencesOf, textOf } from './support.js';

const OPTIONS = { columns: 20, k: 4, teacher: 'big' };

let whole: MemoryStorage;

beforeAll(async () => {
  whole = await storeOf('w', ['a', 'b', 'c']);
});

/** A store with a shard for each key. */
async function storeOf(writer: string, keys: readonly string[]): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  const store = await createTeacherStore(storage, { ...OPTIONS, writer, shardRows: 1 });
  for (const [i, key] of keys.entries()) await store.append(key, textOf(i, 3));
  await store.close();
  return storage;
}

async function read(storage: TeacherStorage) {
  const store = await openTeacherStore(storage);
  await store.verify();
  return sequencesOf(await collect(store.batches({ rows: 9 })));
}

/** Makes bytes within a pool, as Node's Buffers are: a slice shares the pool. */
class Pooled extends Uint8Array<ArrayBuffer> {
  static copy(bytes: Uint8Array): Pooled {
    const pool = new Pooled(new ArrayBuffer(bytes.length + 64)).fill(7);
    pool.set(bytes, 32);
    return pool.subarray(32, 32 + bytes.length) as Pooled;
  }

  override slice(start?: number, end?: number): Pooled {
    return this.subarray(start, end) as Pooled;
  }
}

test('a storage may return bytes that share a pool', async () => {
  const pooled = new MemoryStorage(whole.files);
  const plain = pooled.read.bind(pooled);
  pooled.read = async (name, range) => {
    const bytes = await plain(name, range);
    return bytes && Pooled.copy(bytes);
  };
  pooled.files.delete('manifest.json'); // shards are opened at the first read
  expect(await read(pooled)).toEqual(await read(whole));
});

test('a storage without `size` is read', async () => {
  const storage = new MemoryStorage(whole.files);
  storage.files.delete('manifest.json');
  const bare = { list: () => storage.list(), read: storage.read.bind(storage) };
  expect(await read(bare)).toEqual(await read(whole));
  expect((await openTeacherStore(bare)).size).toEqual((await openTeacherStore(whole)).size);
});

test('a storage that returns too few bytes or another type is refused by name', async () => {
  const storage = new MemoryStorage(whole.files);
  const store = await openTeacherStore(storage);
  const plain = storage.read.bind(storage);
  storage.read = async (name, range) => (await plain(name, range))?.slice(0, -1);
  await expect(collect(store.batches({ rows: 9 }))).rejects.toMatchObject({
    code: 'DAMAGED',
    argument: storage.shards()[0],
    received: expect.stringMatching(/^\d+ bytes$/),
  });
  storage.read = async (name, range) => wrong((await plain(name, range))?.buffer);
  await expect(openTeacherStore(storage)).rejects.toMatchObject({
    code: 'WRONG_TYPE',
    argument: 'where.read',
  });
});

test('a manifest that lists other shards is refused, even with the same number of them', async () => {
  const storage = new MemoryStorage(whole.files);
  const other = await storeOf('x', ['d']);
  const [added] = other.shards() as [string];
  storage.files.delete(storage.shards().at(-1)!);
  storage.files.set(added, other.files.get(added)!);
  const store = await openTeacherStore(storage);
  expect(keysOf(await collect(store.batches({ rows: 9 })))).toEqual(['a', 'b', 'd']);
});
