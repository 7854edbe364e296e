import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type JobType, type Queue, QueueEvents } from 'bullmq';
import { UserError } from '../shared/commandLine.js';
import { FolderCheck } from './folderCheck.js';
import { type Job, jobsOf, nameOf } from './jobs.js';
import { isDone, type Labelling, openStore } from './labelling.js';
import { connectionTo, openQueue, QUEUE, type QueuedJob, reportOnce } from './queue.js';

/** Maximum number of jobs in the queue; the producer keeps the others. */
const MOST_WAITING = 64;
/** States of the jobs in the queue. */
const KNOWN: JobType[] = ['wait', 'active', 'delayed', 'prioritized', 'failed'];

/** The state of the labelling. */
export interface State {
  readonly documents: number;
  readonly done: number;
  /** Number of jobs in each state of the queue. */
  readonly waiting: number;
  readonly failed: number;
  /** Number of failed jobs that will be repeated, and the reason of one failure. */
  readonly retrying: number;
  readonly reason: string | undefined;
  /** Job of each connected worker; undefined while it waits for one. */
  readonly workers: ReadonlyMap<string, string | undefined>;
}

/** Thrown if all missing documents belong to jobs that failed for good. */
export class FailedJobs extends UserError {}

export interface ProducerSettings {
  /** Address of Redis. */
  readonly url: string;
  /** Number of documents of a job. */
  readonly size: number;
  /** True if jobs that failed for good are repeated. */
  readonly retry: boolean;
  /** Milliseconds between two checks of the store and the queue; 500. */
  readonly interval?: number;
  /** Milliseconds for which documents of completed jobs may be missing in the folder; 10,000. */
  readonly patience?: number;
}

/**
 * Has workers label all documents. The store determines which documents are missing, and the queue
 * who labels them. Producer, queue and workers may die at any time, and the queue may lose its
 * data; the labelling continues.
 */
export async function produce(
  labelling: Labelling,
  folder: string,
  { url, size, retry, interval = 500, patience = 10_000 }: ProducerSettings,
  onLook: (state: State) => void = () => {},
): Promise<void> {
  const store = await openStore(labelling, folder);
  const queue = openQueue(url);
  const events = new QueueEvents(QUEUE, { connection: connectionTo(url) });
  const folderCheck = new FolderCheck(patience);
  events.on('error', reportOnce());
  events.on('completed', ({ jobId }) => folderCheck.complete(jobId));
  try {
    await events.waitUntilReady();
    if (retry) await queue.retryJobs({ state: 'failed' });
    for (;;) {
      // The queue is read before the store: documents of a job that has left the queue are in the
      // store.
      const known = await queue.getJobs(KNOWN);
      await store.flush();
      const missing = jobsOf(labelling.keys.length, size).filter(
        (job) => !isDone(labelling, store, job),
      );
      const documents = labelling.keys.length;
      const done = labelling.keys.filter((key) => store.has(key)).length;
      const failed = known.filter(({ failedReason, finishedOn }) => failedReason && finishedOn);
      const retrying = known.filter(({ failedReason, finishedOn }) => failedReason && !finishedOn);
      onLook({
        documents,
        done,
        waiting: known.length - failed.length,
        failed: failed.length,
        retrying: retrying.length,
        reason: retrying.at(-1)?.failedReason,
        workers: await workersOf(queue, known),
      });
      if (missing.length === 0) break;
      const failedNames = new Set(failed.map(({ id }) => id));
      if (missing.every((job) => failedNames.has(nameOf(job)))) {
        const reasons = failed.map(({ id, failedReason }) => `\n  ${id}: ${failedReason}`);
        throw new FailedJobs(
          `${failed.length} jobs failed; --retry tries them again:${reasons.join('')}`,
        );
      }
      const open = missing.map(nameOf).filter((name) => !failedNames.has(name));
      if (folderCheck.isWrongFolder(done, open, performance.now())) {
        throw new UserError(
          `all jobs are done, but ${documents - done} documents are not in ${resolve(folder)}: ` +
            'do the workers have the same --folder?',
        );
      }
      const names = new Set(known.map(({ id }) => id));
      await enqueue(
        queue,
        missing.filter((job) => !names.has(nameOf(job))),
        labelling.keys,
      );
      await setTimeout(interval);
    }
  } finally {
    await events.close();
    await queue.close();
    await store.close();
  }
}

/** Adds jobs that the queue does not have, up to its maximum. */
async function enqueue(
  queue: Queue<QueuedJob>,
  jobs: readonly Job[],
  keys: readonly string[],
): Promise<void> {
  const waiting = await queue.getWaitingCount();
  const added = jobs.slice(0, Math.max(MOST_WAITING - waiting, 0));
  await queue.addBulk(
    added.map((job) => ({
      name: 'label',
      data: { ...job, key: keys[job.first]! },
      opts: { jobId: nameOf(job) },
    })),
  );
}

async function workersOf(
  queue: Queue<QueuedJob>,
  known: Awaited<ReturnType<Queue<QueuedJob>['getJobs']>>,
): Promise<Map<string, string | undefined>> {
  const clients = await queue.getWorkers();
  const workers = new Map<string, string | undefined>();
  for (const { rawname } of clients) {
    const name = rawname?.split(':w:')[1];
    if (name !== undefined) workers.set(name, undefined);
  }
  for (const { id, processedBy, finishedOn } of known) {
    if (processedBy && !finishedOn && workers.has(processedBy)) workers.set(processedBy, id);
  }
  return workers;
}
