import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test, vi } from 'vitest';
import {
  createTeacherStore,
  openTeacherStore,
  type TeacherStoreOptions,
} from '../../src/store/index.js';
import { newFolder } from './newFolder.js';
import { collect, keysOf, sequencesOf, textOf } from './support.js';

const OPTIONS: TeacherStoreOptions = { columns: 20, k: 4, teacher: 'big', writer: 'w' };

test('a missing folder is created; its path and its URL open the same store', async () => {
  const folder = join(newFolder(), 'deep', 'the store');
  const store = await createTeacherStore(`${folder}/`, OPTIONS);
  await store.append('a', textOf(1, 3));
  await store.close();
  expect(readdirSync(folder).sort()).toEqual([
    'manifest.json',
    'store.json',
    expect.stringMatching(/^w-00000-[0-9a-f]{32}\.parquet$/),
  ]);
  const read = async (where: string | URL) => {
    const opened = await openTeacherStore(where);
    await opened.verify();
    return sequencesOf(await collect(opened.batches({ rows: 3 })));
  };
  const sequences = await read(folder);
  expect(sequences).toHaveLength(1);
  expect(await read(pathToFileURL(folder))).toEqual(sequences);
  expect(await read(pathToFileURL(`${folder}/`))).toEqual(sequences);
  expect(await read(pathToFileURL(folder).href)).toEqual(sequences);
});

test('of writers that start together, one writes the description', async () => {
  const folder = newFolder();
  const teachers = ['a', 'b', 'c', 'd'];
  const created = await Promise.allSettled(
    teachers.map((teacher) => createTeacherStore(folder, { ...OPTIONS, teacher })),
  );
  const { teacher } = JSON.parse(readFileSync(join(folder, 'store.json'), 'utf8'));
  expect(created.map(({ status }) => status)).toEqual(
    teachers.map((name) => (name === teacher ? 'fulfilled' : 'rejected')),
  );
  expect(readdirSync(folder)).toEqual(['store.json']);
});

test('a partial file of a killed writer is no shard, and is deleted after an hour', async () => {
  const folder = newFolder();
  const [old, young] = ['.unfinished-old', '.unfinished-young'];
  for (const name of [old, young]) writeFileSync(join(folder, name), 'half of a shard');
  const before = Date.now() / 1000 - 3700;
  utimesSync(join(folder, old), before, before);
  const store = await createTeacherStore(folder, OPTIONS);
  await store.append('a', textOf(1, 3));
  await store.close();
  await (await openTeacherStore(folder)).verify();
  expect(readdirSync(folder)).not.toContain(old);
  expect(readdirSync(folder)).toContain(young);
});

test('a folder without a store is refused', async () => {
  const folder = newFolder();
  for (const where of [folder, join(folder, 'missing')]) {
    await expect(openTeacherStore(where)).rejects.toThrow(
      `openTeacherStore: no store in ${where}: it has no store.json; createTeacherStore makes a store`,
    );
  }
});

test('a file in place of a folder is refused by name', async () => {
  const file = join(newFolder(), 'file');
  writeFileSync(file, '');
  const refused = { name: 'DistillationError', code: 'UNAVAILABLE', argument: 'where' };
  await expect(openTeacherStore(file)).rejects.toMatchObject({
    ...refused,
    received: expect.stringContaining('ENOTDIR'),
  });
  await expect(createTeacherStore(file, OPTIONS)).rejects.toMatchObject({
    ...refused,
    received: expect.stringContaining('EEXIST'),
  });
});

test('a folder is refused where there is no file system, with a hint that names alternatives', async () => {
  vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
  await expect(openTeacherStore('folder')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('Node 20.16'),
  });
  vi.restoreAllMocks();
});

test('a missing package is named, with the command that installs it', async () => {
  const folder = newFolder();
  vi.doMock('hyparquet-writer', () => {
    throw new Error('not installed');
  });
  const store = await createTeacherStore(folder, OPTIONS);
  await store.append('a', textOf(1, 3));
  await expect(store.flush()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    argument: 'hyparquet-writer',
    message: expect.stringContaining('npm install hyparquet-writer'),
  });
  vi.doUnmock('hyparquet-writer');
  await store.close(); // no row was lost
  const opened = await openTeacherStore(folder);
  expect(keysOf(await collect(opened.batches({ rows: 3 })))).toEqual(['a']);
});
