import { once } from 'node:events';
import { type Job, UnrecoverableError, Worker } from 'bullmq';
import { TeacherError } from './client.js';
import { type Labelling, openStore, runJob } from './labelling.js';
import { connectionTo, openQueue, QUEUE, type QueuedJob, reportOnce } from './queue.js';

export interface WorkerSettings {
  /** Address of Redis. */
  readonly url: string;
  /** Different for each worker: shards that it wrote have this name. */
  readonly name: string;
  /** Documents about which the teacher is asked at a time. */
  readonly concurrency: number;
  /** Milliseconds after which a job of a worker that died is given to another. */
  readonly lockDuration: number;
}

/** Takes jobs from the queue until the process is asked to end. */
export async function work(
  labelling: Labelling,
  folder: string,
  { url, name, concurrency, lockDuration }: WorkerSettings,
): Promise<void> {
  const store = await openStore(labelling, folder, name);
  const queue = openQueue(url);
  const run = async ({ data }: Job<QueuedJob>): Promise<void> => {
    const key = labelling.keys[data.first];
    if (key !== data.key) {
      throw new UnrecoverableError(
        `document ${data.first} is ${key} here, and ${data.key} in the job: start the workers ` +
          'and the producer with the same documents',
      );
    }
    try {
      await runJob(labelling, store, data, concurrency);
    } catch (error) {
      if (!(error instanceof TeacherError)) throw error;
      if (error.isFinal) throw new UnrecoverableError(error.message);
      if (error.retryAfter === undefined) throw error;
      await queue.rateLimit(error.retryAfter); // for all workers; no attempt of the job is lost
      throw Worker.RateLimitError();
    }
  };
  const worker = new Worker<QueuedJob>(QUEUE, run, {
    connection: connectionTo(url),
    autorun: false, // so that a worker that cannot go on ends the process
    name,
    lockDuration,
    stalledInterval: lockDuration,
    // A job goes on where the last worker died: only one that kills every worker is given up.
    maxStalledCount: 10,
  });
  worker.on('error', reportOnce());
  worker.on('failed', (job, { message }) => console.error(`${job?.id ?? 'a job'}: ${message}`));
  await Promise.race([worker.run(), once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await worker.close(); // after the job that it has
  await queue.close();
  await store.close();
}
