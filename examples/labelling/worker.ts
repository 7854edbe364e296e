import { once } from 'node:events';
import { type Job, UnrecoverableError, Worker } from 'bullmq';
import { TeacherError } from './client.js';
import { type Labelling, openStore, runJob } from './labelling.js';
import { connectionTo, openQueue, QUEUE, type QueuedJob, reportOnce } from './queue.js';

export interface WorkerSettings {
  /** Address of Redis. */
  readonly url: string;
  /** Unique name of the worker, which is also the name of its shards. */
  readonly name: string;
  /** Number of concurrent requests to the teacher. */
  readonly concurrency: number;
  /** Milliseconds after which a job of a dead worker is given to another worker. */
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
      await queue.rateLimit(error.retryAfter); // all workers pause, and the job loses no attempt
      throw Worker.RateLimitError();
    }
  };
  const worker = new Worker<QueuedJob>(QUEUE, run, {
    connection: connectionTo(url),
    autorun: false, // so that a fatal error of the worker ends the process
    name,
    lockDuration,
    stalledInterval: lockDuration,
    // A job survives the death of its worker; it fails for good after it has killed this many
    // workers.
    maxStalledCount: 10,
  });
  worker.on('error', reportOnce());
  worker.on('failed', (job, { message }) => console.error(`${job?.id ?? 'a job'}: ${message}`));
  await Promise.race([worker.run(), once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await worker.close(); // completes the current job
  await queue.close();
  await store.close();
}
