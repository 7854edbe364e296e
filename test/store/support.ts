import fc from 'fast-check';
import { Matrix, SparseTargets } from '../../src/index.js';
import type { TeacherBatch, TeacherSequence, TeacherStorage } from '../../src/store/index.js';

/** A storage in memory; a copy has files of its own. */
export class MemoryStorage implements Required<TeacherStorage> {
  readonly files: Map<string, Uint8Array>;
  /** The reads in their order: name and number of bytes. */
  readonly reads: [name: string, bytes: number][] = [];

  constructor(files: Iterable<[string, Uint8Array]> = []) {
    this.files = new Map(files);
  }

  async list(): Promise<string[]> {
    return [...this.files.keys()];
  }

  async read(
    name: string,
    range?: { start: number; end: number },
  ): Promise<Uint8Array | undefined> {
    const bytes = this.files.get(name)?.slice(range?.start, range?.end);
    if (bytes) this.reads.push([name, bytes.length]);
    return bytes;
  }

  async size(name: string): Promise<number> {
    return this.files.get(name)!.length;
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    this.files.set(name, bytes.slice());
  }

  shards(): string[] {
    return [...this.files.keys()].filter((name) => name.endsWith('.parquet')).sort();
  }
}

/** Collects all batches. */
export async function collect(batches: AsyncIterable<TeacherBatch>): Promise<TeacherBatch[]> {
  const all: TeacherBatch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

/** Returns one sequence of a batch as plain data, without its position. */
export interface PlainSequence {
  readonly key: string;
  readonly tokens: readonly number[] | undefined;
  readonly labels: readonly number[] | undefined;
  readonly indices: readonly number[] | undefined;
  readonly values: readonly number[] | undefined;
  readonly logTail: readonly number[] | undefined;
  readonly dense: Readonly<Record<string, readonly number[]>>;
}

export function sequencesOf(batches: readonly TeacherBatch[]): PlainSequence[] {
  return batches.flatMap(({ keys, offsets, tokens, labels, targets, dense }) =>
    keys.map((key, i) => {
      const [from, to] = [offsets[i]!, offsets[i + 1]!];
      const cut = (data: ArrayLike<number> | undefined, width = 1) =>
        data && Array.from(data).slice(from * width, to * width);
      const k = targets?.values.columns;
      return {
        key,
        tokens: cut(tokens),
        labels: cut(labels),
        indices: cut(targets?.indices, k),
        values: cut(targets?.values.data, k),
        logTail: cut(targets?.logTail),
        dense: Object.fromEntries(
          Object.entries(dense).map(([name, { data, columns }]) => [name, cut(data, columns)!]),
        ),
      };
    }),
  );
}

export function keysOf(batches: readonly TeacherBatch[]): string[] {
  return batches.flatMap(({ keys }) => keys);
}

/**
 * Makes a row of a text: each class at most once, with log-probabilities that sum to 1 together
 * with the tail.
 */
export function targetsOf(logits: readonly number[][], k: number): SparseTargets {
  return SparseTargets.topK(Matrix.fromRows(logits), k);
}

/** A text with a prompt, for a store of `columns` classes. */
export function textOf(seed: number, rows: number, columns = 20, k = 4): TeacherSequence {
  const [logits] = fc.sample(
    fc.array(
      fc.array(
        fc.integer({ min: -8e5, max: 8e5 }).map((n) => n / 1e5),
        {
          minLength: columns,
          maxLength: columns,
        },
      ),
      { minLength: rows, maxLength: rows },
    ),
    { seed, numRuns: 1 },
  );
  const tokens = Array.from({ length: rows }, (_, i) => (seed * 7 + i * 3) % columns);
  return { targets: targetsOf(logits!, k), tokens, prompt: [seed % columns] };
}
