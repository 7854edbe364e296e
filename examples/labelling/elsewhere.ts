/** Notices jobs that workers have done, but not into the producer's folder. */
export class Elsewhere {
  readonly #patience: number;
  readonly #completed = new Set<string>();
  #done = -1;
  #since = 0;

  /** @param patience milliseconds that a file system may take to show what another machine wrote */
  constructor(patience: number) {
    this.#patience = patience;
  }

  /** The queue says that a job is done. */
  complete(job: string): void {
    this.#completed.add(job);
  }

  /** Whether all jobs that miss documents were done, and no document has come for a while. */
  look(done: number, missing: readonly string[], now: number): boolean {
    if (done !== this.#done || !missing.every((job) => this.#completed.has(job))) {
      this.#done = done;
      this.#since = now;
    }
    return now - this.#since >= this.#patience;
  }
}
