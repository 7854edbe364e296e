import { Queue, type RedisOptions } from 'bullmq';
import type { Job } from './jobs.js';

/** The name of the queue in Redis. */
export const QUEUE = 'labelling';

/** A job in the queue. */
export interface QueuedJob extends Job {
  /** Key of the first document, by which a worker with other documents refuses the job. */
  readonly key: string;
}

/** Returns the options of a connection to Redis. A command waits until Redis is available. */
export function connectionTo(url: string): RedisOptions {
  return { url, maxRetriesPerRequest: null };
}

/**
 * Opens the queue. It repeats a failed job with growing delays, and keeps a job that failed for
 * good.
 */
export function openQueue(url: string): Queue<QueuedJob> {
  const queue = new Queue<QueuedJob>(QUEUE, {
    connection: connectionTo(url),
    defaultJobOptions: {
      attempts: 5,
      backoff: { type: 'exponential', delay: 1000, jitter: 0.5 },
      removeOnComplete: true, // the store records completed jobs
      removeOnFail: false, // failed jobs stay for inspection
    },
  });
  queue.on('error', reportOnce());
  return queue;
}

/** Returns a handler that prints each connection error once, and not for each attempt. */
export function reportOnce(): (error: Error) => void {
  let last = '';
  return ({ message }) => {
    if (message !== last) console.error(`queue: ${message}`);
    last = message;
  };
}
