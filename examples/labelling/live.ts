import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { clearScreenDown, moveCursor } from 'node:readline';
import { formatTable } from '../shared/table.js';
import type { State } from './producer.js';

/** The name of a shard has the name of its writer, a number and a checksum. */
const SHARD = /^(?<writer>.+)-\d+-[0-9a-f]+\.parquet$/;
/** Milliseconds between two lines of output without a terminal. */
const PAUSE = 5000;

/**
 * Shows the state of the labelling: a table that is redrawn in place on a terminal; elsewhere a
 * line from time to time.
 */
export class LiveTable {
  readonly #folder: string;
  readonly #start = performance.now();
  #doneAtStart: number | undefined;
  #lines = 0;
  #lastLine = Number.NEGATIVE_INFINITY;

  constructor(folder: string) {
    this.#folder = folder;
  }

  show(state: State): void {
    this.#doneAtStart ??= state.done;
    const line = this.#summary(state, this.#doneAtStart);
    const now = performance.now();
    const isDone = state.done === state.documents;
    const isTerminal = process.stdout.isTTY;
    if (!isTerminal && !isDone) {
      if (now - this.#lastLine < PAUSE) return;
      this.#lastLine = now;
      console.log(line);
      return;
    }
    if (isTerminal) {
      moveCursor(process.stdout, 0, -this.#lines);
      clearScreenDown(process.stdout);
    }
    const text = `${this.#table(state)}\n${line}`;
    console.log(text);
    this.#lines = text.split('\n').length;
  }

  #summary(state: State, before: number): string {
    const { documents, done, waiting, failed, retrying, reason, workers } = state;
    const seconds = (performance.now() - this.#start) / 1000;
    const rate = (done - before) / seconds;
    const left = rate > 0 ? `${Math.ceil((documents - done) / rate)} s left` : 'no estimate yet';
    const tries = retrying > 0 ? `\n${retrying} waiting to be repeated: ${reason}` : '';
    return (
      `${done} of ${documents} documents, ${rate.toFixed(1)} a second, ${left}; ` +
      `${workers.size} workers, ${waiting} jobs in the queue, ${failed} failed${tries}`
    );
  }

  /** Formats a row for each worker that is connected or has written a shard. */
  #table({ workers }: State): string {
    const shards = shardsIn(this.#folder);
    const names = [...new Set([...workers.keys(), ...shards.keys()])].sort();
    const rows = names.map((name) => {
      const { count, bytes } = shards.get(name) ?? { count: 0, bytes: 0 };
      const job = workers.has(name) ? (workers.get(name) ?? 'waits') : 'gone';
      return [name, job, count, (bytes / 1e6).toFixed(1)];
    });
    return formatTable(['worker', 'job', 'shards', 'MB'], rows, 2);
  }
}

/** Returns the number and the bytes of the shards of each writer in a folder. */
function shardsIn(folder: string): Map<string, { count: number; bytes: number }> {
  const shards = new Map<string, { count: number; bytes: number }>();
  for (const file of readdirSync(folder)) {
    const writer = SHARD.exec(file)?.groups?.writer;
    if (writer === undefined) continue;
    const { count, bytes } = shards.get(writer) ?? { count: 0, bytes: 0 };
    const size = statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0;
    shards.set(writer, { count: count + 1, bytes: bytes + size });
  }
  return shards;
}
