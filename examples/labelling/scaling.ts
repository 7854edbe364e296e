import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { formatTable } from '../shared/table.js';
import { jobsOf } from './jobs.js';
import { runJob } from './labelling.js';
import { freePort, Service } from './processes.js';
import { produce } from './producer.js';
import { openQueue } from './queue.js';
import { openTextProject } from './text.js';

/** Measures the documents per second of 1, 2 and 4 workers with one server and one queue. */
const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '1,2,4' },
    documents: { type: 'string', default: '640' },
    latency: { type: 'string', default: '100' },
    concurrency: { type: 'string', default: '2' },
    /** Number of runs for each number of workers; the fastest run counts. */
    rounds: { type: 'string', default: '3' },
  },
});
const counts = values.workers.split(',').map(Number);
/** Number of documents of a job. */
const SIZE = 16;

const folder = mkdtempSync(join(tmpdir(), 'labelling-'));
const [redisPort, teacherPort] = [await freePort(), await freePort()];
const url = `redis://127.0.0.1:${redisPort}`;
const teacher = `http://127.0.0.1:${teacherPort}`;
const redis = Service.redis(folder, redisPort);
const server = Service.script('teacher', 'serve.ts', [
  ...['--port', String(teacherPort), '--latency', values.latency],
  '--remember', // so that a document costs the server its latency only
]);
const documents = Number(values.documents);
try {
  await setTimeout(2000); // until the server listens; the client would try again, too
  const project = await openTextProject({ quick: false, seed: 1, teacher, documents });
  await warmUp();
  const best = new Map<number, number>();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const count of counts) {
      const rate = await measure(count, join(folder, `round-${round}-workers-${count}`));
      best.set(count, Math.max(rate, best.get(count) ?? 0));
    }
  }
  const [first = 1] = counts;
  const rows = counts.map((count) => {
    const rate = best.get(count)!;
    const linear = (rate / best.get(first)!) * (first / count);
    return [count, rate.toFixed(1), linear.toFixed(2)];
  });
  console.log(formatTable(['workers', 'documents a second', 'of linear'], rows, 0));
  console.log(`${values.latency} ms a document, ${values.concurrency} at a time in each worker`);

  /** Sends each request to the server once, so that it remembers the answer. */
  async function warmUp(): Promise<void> {
    const store = { has: () => false, append: async () => true, flush: async () => {} };
    const idle = { ...store, close: async () => {} };
    const [all] = jobsOf(project.training.keys.length, documents);
    await runJob(project.training, idle, all!, 32);
  }

  /**
   * Measures from the first job in the queue to the last document on disk; the workers are ready
   * before.
   */
  async function measure(count: number, place: string): Promise<number> {
    mkdirSync(place);
    const args = [
      ...['--folder', place, '--documents', values.documents, '--teacher', teacher],
      ...['--queue', url, '--role', 'worker', '--concurrency', values.concurrency],
    ];
    const workers = Array.from({ length: count }, () => Service.script('worker', 'main.ts', args));
    try {
      const queue = openQueue(url);
      while ((await queue.getWorkersCount()) < count) await setTimeout(100);
      await queue.close();
      const settings = { url, size: SIZE, retry: false, interval: 100 };
      const start = performance.now();
      await produce(project.training, join(place, 'training'), settings);
      return project.training.keys.length / ((performance.now() - start) / 1000);
    } finally {
      await Promise.all(workers.map((worker) => worker.stop()));
    }
  }
} finally {
  await Promise.all([redis.kill(), server.kill()]);
  rmSync(folder, { recursive: true });
}
