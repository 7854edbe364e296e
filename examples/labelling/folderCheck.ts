/** Notices jobs whose documents workers have written into another folder than the producer's. */
export class FolderCheck {
  readonly #patience: number;
  readonly #completed = new Set<string>();
  #done = -1;
  #since = 0;

  /** @param patience - milliseconds until a file system shows what another machine wrote */
  constructor(patience: number) {
    this.#patience = patience;
  }

  /** Records that the queue reported a job as done. */
  complete(job: string): void {
    this.#completed.add(job);
  }

  /**
   * Returns true if all jobs with missing documents are done, and no document has arrived for a
   * while.
   */
  isWrongFolder(done: number, missing: readonly string[], now: number): boolean {
    if (done !== this.#done || !missing.every((job) => this.#completed.has(job))) {
      this.#done = done;
      this.#since = now;
    }
    return now - this.#since >= this.#patience;
  }
}
