/** Documents that are labelled together: the first, and the one after the last. */
export interface Job {
  readonly first: number;
  readonly end: number;
}

/** Cuts documents into jobs of `size` documents. The same documents give the same jobs. */
export function jobsOf(documents: number, size: number): Job[] {
  return Array.from({ length: Math.ceil(documents / size) }, (_, job) => ({
    first: job * size,
    end: Math.min((job + 1) * size, documents),
  }));
}

/** The name of a job in a queue: by it, a queue knows a job that it already has. */
export function nameOf({ first, end }: Job): string {
  return `documents-${first}-to-${end - 1}`;
}
