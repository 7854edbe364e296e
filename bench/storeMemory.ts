// Measures the memory of reading a teacher store of 1 GB, which does not grow with the store: npm
// run bench:store-memory.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTeacherStore } from 'knowledge-distillation/store';
import { textTargets, writeStore } from './store.js';

const [, , gigabytes = '1'] = process.argv;
const BYTES_A_ROW = 241; // 64 of 32,000 classes in half precision

const folder = mkdtempSync(join(tmpdir(), 'knowledge-distillation-memory-'));
try {
  const rows = Math.ceil((Number(gigabytes) * 1e9) / BYTES_A_ROW / 256) * 256;
  let start = performance.now();
  await writeStore(folder, 'float16', rows, textTargets());
  let seconds = (performance.now() - start) / 1000;
  console.log(`wrote ${rows} rows in ${seconds.toFixed(0)} s: ${memory()}`);
  const store = await openTeacherStore(folder);
  const { size } = store;
  console.log(`opened ${(size.bytes / 1e9).toFixed(3)} GB in ${size.shards} shards: ${memory()}`);
  start = performance.now();
  let read = 0;
  let next = 0.1;
  for await (const { labels } of store.batches({ rows: 1024, seed: 1 })) {
    read += labels!.length;
    if (read < next * size.rows) continue;
    console.log(`read ${(100 * next).toFixed(0)} %: ${memory()}`);
    next += 0.1;
  }
  seconds = (performance.now() - start) / 1000;
  console.log(`${(read / seconds).toFixed(0)} rows a second`);
} finally {
  rmSync(folder, { recursive: true });
}

/** Returns the memory after a garbage collection, if Node exposes one (--expose-gc). */
function memory(): string {
  globalThis.gc?.();
  const { arrayBuffers, heapUsed, rss } = process.memoryUsage();
  const [arrays, heap, all] = [arrayBuffers, heapUsed, rss].map((n) => (n / 2 ** 20).toFixed(0));
  return `${arrays} MiB in arrays, ${heap} MiB in the heap, ${all} MiB in all`;
}
