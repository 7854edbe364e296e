/** A range of documents that are labelled together: the first one, and the one after the last. */
export interface Job {
  readonly first: number;
  readonly end: number;
}

/** Splits documents into jobs of `size` documents. The same documents give the same jobs. */
export function jobsOf(documents: number, size: number): Job[] {
  return Array.from({ length: Math.ceil(documents / size) }, (_, job) => ({
    first: job * size,
    end: Math.min((job + 1) * size, documents),
  }));
}

/** Returns the name of a job, by which the queue recognises jobs that it already has. */
export function nameOf({ first, end }: Job): string {
  return `documents-${first}-to-${end - 1}`;
}
