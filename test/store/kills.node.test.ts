import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { Generator } from '../../src/core/random.js';
import { createTeacherStore, openTeacherStore } from '../../src/store/index.js';
import { KILLED_OPTIONS, killedSequence, TEXTS } from './killedTexts.js';
import { newFolder } from './newFolder.js';
import { collect, MemoryStorage, sequencesOf } from './support.js';

// STORE_KILLS=100 npx vitest run --project node test/store/kills.node.test.ts
const KILLS = Number(process.env.STORE_KILLS ?? 5);
const SEED = Number(process.env.STORE_SEED ?? Date.now() % 1e6);

/**
 * Starts a writer and kills it after a time, unless it ends before. Resolves to its exit code and
 * signal.
 */
async function writeAndKill(folder: string, writer: string, time: number): Promise<string> {
  const options = ['--import', 'tsx', 'test/store/killedWriter.ts', folder, writer];
  const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let timer: NodeJS.Timeout | undefined;
  child.stdout.once('data', () => {
    timer = setTimeout(() => child.kill('SIGKILL'), time);
  });
  const [code, signal] = await ended;
  clearTimeout(timer);
  return signal ?? `exit ${code}`;
}

async function contentOf(where: string | MemoryStorage) {
  const opened = await openTeacherStore(where);
  await opened.verify();
  const sequences = sequencesOf(await collect(opened.batches({ rows: 64 })));
  expect(sequences).toHaveLength(TEXTS);
  return new Map(sequences.map((sequence) => [sequence.key, sequence]));
}

async function quietRun() {
  const quiet = new MemoryStorage();
  const store = await createTeacherStore(quiet, KILLED_OPTIONS);
  for (let i = 0; i < TEXTS; i++) await store.append(`text-${i}`, killedSequence(i));
  await store.close();
  return contentOf(quiet);
}

test(`stores whose writers are killed ${KILLS} times equal the store of an undisturbed run`, async () => {
  console.log(`STORE_SEED=${SEED}`);
  const quiet = await quietRun();
  const generator = new Generator(SEED);
  let kills = 0;
  while (kills < KILLS) {
    const folder = newFolder();
    // Writers get more time until they complete, since a slow machine needs more time for a shard.
    let limit = 100;
    for (let isDone = false; !isDone; limit *= 1.2) {
      const times = [0, 1].map(() => generator.next() * limit); // two writers share the store
      const ends = await Promise.all(
        times.map((time, i) => writeAndKill(folder, `writer-${i}`, time)),
      );
      for (const end of ends) expect(['SIGKILL', 'exit 0']).toContain(end);
      kills += ends.filter((end) => end === 'SIGKILL').length;
      isDone = ends.includes('exit 0');
      await openTeacherStore(folder); // readable at any time
    }
    // lists the shards of killed writers
    await (await createTeacherStore(folder, KILLED_OPTIONS)).close();
    expect(await contentOf(folder)).toEqual(quiet);
  }
  console.log(`${kills} kills`);
}, 600_000);
