import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Matrix, SparseTargets } from 'knowledge-distillation';
import { createTeacherStore, openTeacherStore } from 'knowledge-distillation/store';
import { afterAll, expect, test } from 'vitest';

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'store-'));
  folders.push(folder);
  return folder;
}

test('a store gives back what was appended', async () => {
  const folder = await newFolder();
  const store = await createTeacherStore(folder, { columns: 5, k: 2, teacher: 'big' });
  const logits = Matrix.fromRows([
    [3, 1, 0, -1, -2],
    [0, 4, 2, 1, 0],
  ]);
  const targets = SparseTargets.topK(logits, 2);
  expect(await store.append('a', { targets, tokens: [3, 4], prompt: [1, 2] })).toBe(true);
  expect(await store.append('a', { targets, tokens: [3, 4], prompt: [1, 2] })).toBe(false);
  expect(store.has('a')).toBe(true);
  await store.close();

  const opened = await openTeacherStore(folder);
  expect(opened.size).toMatchObject({ rows: 3, sequences: 1, shards: 1 });
  await opened.verify();
  for await (const batch of opened.batches({ rows: 8 })) {
    expect(batch.keys).toEqual(['a']);
    expect([...batch.tokens!]).toEqual([1, 2, 3]);
    expect([...batch.labels!]).toEqual([-100, 3, 4]);
    expect([...batch.targets!.indices]).toEqual([-1, -1, ...targets.indices]);
    expect([...batch.targets!.values.data.subarray(2)]).toEqual([...targets.values.data]);
    expect([...batch.targets!.logTail!.subarray(1)]).toEqual([...targets.logTail!]);
  }
});
