import { Queue, type RedisOptions } from 'bullmq';
import type { Job } from './jobs.js';

/** The name of the queue in Redis. */
export const QUEUE = 'labelling';

/** A job as it waits in the queue. */
export interface QueuedJob extends Job {
  /** Key of the first document: a worker of other documents refuses the job. */
  readonly key: string;
}

/** How Redis is reached: a command waits for as long as Redis is away. */
export function connectionTo(url: string): RedisOptions {
  return { url, maxRetriesPerRequest: null };
}

/**
 * Opens the queue. It tries a job that failed again, later each time, and keeps a job that failed
 * for good.
 */
export function openQueue(url: string): Queue<QueuedJob> {
  const queue = new Queue<QueuedJob>(QUEUE, {
    connection: connectionTo(url),
    defaultJobOptions: {
      attempts: 5,
      backoff: { type: 'exponential', delay: 1000, jitter: 0.5 },
      removeOnComplete: true, // the store says what is done
      removeOnFail: false, // the failed set: what a person has to look at
    },
  });
  queue.on('error', reportOnce());
  return queue;
}

/** Says once that Redis is away, and not at each try to reach it. */
export function reportOnce(): (error: Error) => void {
  let last = '';
  return ({ message }) => {
    if (message !== last) console.error(`queue: ${message}`);
    last = message;
  };
}
