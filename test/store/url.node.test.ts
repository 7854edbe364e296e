import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createTeacherStore, openTeacherStore } from '../../src/store/index.js';
import { newFolder } from './newFolder.js';
import { type Answer, serveFolder, startServer } from './rangeServer.js';
import { collect, keysOf, sequencesOf, textOf } from './support.js';

async function newStore(): Promise<string> {
  const folder = newFolder();
  const options = { columns: 20, k: 4, teacher: 'big', chunkRows: 40, shardRows: 400 };
  const store = await createTeacherStore(folder, options);
  for (let i = 0; i < 400; i++) await store.append(`text-${i}`, textOf(i, 4));
  await store.close();
  return folder;
}

async function serve(folder: string, ranges = true) {
  const answers: Answer[] = [];
  const server = await startServer(serveFolder(folder, (answer) => answers.push(answer), ranges));
  onTestFinished(server.stop);
  return { url: server.url, answers };
}

test('a store behind a URL equals the store of the folder', async () => {
  const folder = await newStore();
  const { url } = await serve(folder);
  const [near, far] = [await openTeacherStore(folder), await openTeacherStore(url)];
  expect(far.size).toEqual(near.size);
  expect(far.description).toEqual(near.description);
  await far.verify();
  const options = { rows: 32, seed: 5 };
  const batches = await collect(far.batches(options));
  expect(batches).toEqual(await collect(near.batches(options)));
  const [from] = batches.map(({ position }) => position);
  expect(await collect(near.batches({ ...options, from }))).toEqual(batches.slice(1));
});

test('the first batch needs a few ranges instead of the complete store', async () => {
  const folder = await newStore();
  const { url, answers } = await serve(folder);
  const store = await openTeacherStore(new URL(url));
  expect(answers.map(({ path }) => path)).toEqual(['/store.json', '/manifest.json']);
  answers.length = 0;
  for await (const batch of store.batches({ rows: 16 })) {
    expect(batch.keys).toHaveLength(4);
    break;
  }
  // A footer, a chunk, and the chunk after it, which is read ahead.
  expect(answers.length).toBeLessThanOrEqual(3);
  const bytes = answers.reduce((sum, answer) => sum + answer.bytes, 0);
  expect(bytes).toBeLessThan(store.size.bytes / 4);
});

test('a server without ranges is supported', async () => {
  const folder = await newStore();
  const { url } = await serve(folder, false);
  const near = await openTeacherStore(folder);
  const far = await openTeacherStore(url);
  const read = async (store: typeof near) =>
    sequencesOf(await collect(store.batches({ rows: 32 })));
  expect(await read(far)).toEqual(await read(near));
});

test('an address with a path and a query keeps both', async () => {
  const folder = await newStore();
  const parent = newFolder();
  cpSync(folder, join(parent, 'the store'), { recursive: true });
  const handler = serveFolder(parent);
  const server = await startServer((request, response) => {
    const { searchParams } = new URL(request.url!, 'http://localhost');
    if (searchParams.get('key') === 'open') handler(request, response);
    else response.writeHead(403).end();
  });
  onTestFinished(server.stop);
  const store = await openTeacherStore(`${server.url}the%20store?key=open`);
  expect(keysOf(await collect(store.batches({ rows: 64 })))).toHaveLength(400);
  await expect(openTeacherStore(`${server.url}the%20store`)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    received: 'HTTP 403',
  });
});

test('a missing or damaged file behind a URL is named', async () => {
  const folder = await newStore();
  const { url } = await serve(folder);
  const [shard] = readdirSync(folder).filter((name) => name.endsWith('.parquet'));
  const path = join(folder, shard!);
  const bytes = readFileSync(path);
  const verify = async () => (await openTeacherStore(url)).verify();
  writeFileSync(path, bytes.subarray(0, -1));
  await expect(verify()).rejects.toMatchObject({ code: 'DAMAGED', argument: shard });
  writeFileSync(
    path,
    bytes.map((byte, i) => (i === 1000 ? byte ^ 1 : byte)),
  ); // prettier-ignore
  await expect(verify()).rejects.toMatchObject({ code: 'DAMAGED', argument: shard });
  rmSync(path);
  await expect(verify()).rejects.toMatchObject({ code: 'MISSING', argument: shard });
  rmSync(join(folder, 'manifest.json'));
  await expect(verify()).rejects.toMatchObject({ code: 'MISSING', argument: 'manifest.json' });
  rmSync(join(folder, 'store.json'));
  await expect(verify()).rejects.toMatchObject({ code: 'MISSING', argument: 'store.json' });
  await expect(openTeacherStore('http://127.0.0.1:1/')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  });
});
