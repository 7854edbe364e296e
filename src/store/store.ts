import { refuse } from '../core/errors.js';
import type { BatchOptions, TeacherBatch } from './batch.js';
import { readBatches } from './batches.js';
import { openCatalog } from './catalog.js';
import { DESCRIPTION_FILE, readDescription, type TeacherStoreDescription } from './description.js';
import type { OpenStore } from './openStore.js';
import { filesAt, type StorePlace } from './storage.js';
import { verifyStore } from './verify.js';

/** What a store holds. */
export interface TeacherStoreSize {
  /** Rows that `batches` gives out. */
  readonly rows: number;
  /** Sequences that `batches` gives out: keys. */
  readonly sequences: number;
  readonly shards: number;
  /** Bytes of all shards. */
  readonly bytes: number;
}

/** A store that is read. */
export interface TeacherStore {
  readonly description: TeacherStoreDescription;
  readonly size: TeacherStoreSize;
  /**
   * Reads every shard, and compares it with its checksum. A shard that another program wrote has
   * one once the writer of a store was closed; before, its rows are read.
   *
   * @throws {DistillationError} DAMAGED, MISSING or MISMATCH; `argument` is the name of the first
   *   file that is damaged, missing or, once there is a manifest, not listed in it
   */
  verify(): Promise<void>;
  /**
   * Returns the rows in batches of whole sequences, each time once: an epoch.
   *
   * Chunks are shuffled by the seed and dealt to the parts in turn; then the sequences of 8 chunks
   * are shuffled together. The order follows from the seed, the part and the store alone. Use
   * another seed for each epoch.
   *
   * @throws {DistillationError} at once, OUT_OF_RANGE for an option and MISMATCH for a position of
   *   another store, seed or part; while it is read, DAMAGED or MISSING with the name of the file
   *
   * @remarks Memory: two times 8 chunks, one of which is read while the other is given out; without
   * a seed, two chunks. Columns of shards of this library are compared with their
   * fingerprints as they are read; those of other programs are not.
   */
  batches(options: BatchOptions): AsyncIterable<TeacherBatch>;
}

/**
 * Opens a store for reading: a folder, a folder behind a URL, read by ranges of bytes, or a
 * storage of your own.
 *
 * @param where - a path, a URL (`http:`, `https:` or `file:`), or a storage with `list` and `read`
 * @returns the description and the size of the store, and its batches
 * @throws {DistillationError} MISSING where there is no store, or, behind a URL, no manifest;
 *   DAMAGED with the name of a file; UNAVAILABLE for a server that does not answer
 *
 * @remarks Needs the package hyparquet, and hyparquet-compressors for shards that other programs
 * have compressed. The store is read as it is now: open it again to see what was written since.
 *
 * @example
 * import { Matrix, ResponseDistillationStrategy, SparseTargets } from 'knowledge-distillation';
 * import { createTeacherStore, openTeacherStore } from 'knowledge-distillation/store';
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 *
 * const folder = await mkdtemp(join(tmpdir(), 'store-'));
 * const writer = await createTeacherStore(folder, { columns: 5, k: 2, teacher: 'big@1' });
 * const targets = SparseTargets.topK(Matrix.fromRows([[3, 1, 0, -1, -2], [0, 4, 2, 1, 0]]), 2);
 * await writer.append('document 1', { prompt: [4], tokens: [0, 1], targets });
 * await writer.close();
 *
 * const store = await openTeacherStore(folder);
 * const strategy = new ResponseDistillationStrategy({ temperature: 1 });
 * for await (const batch of store.batches({ rows: 1024, seed: 1 })) {
 *   console.log(batch.keys, batch.tokens, batch.labels);
 *   // [ 'document 1' ] Int32Array(2) [ 4, 0 ] Int32Array(2) [ 0, 1 ]
 *   const logits = Matrix.zeros(2, 5); // of the student, which reads batch.tokens
 *   const { gradient } = strategy.computeLossAndGradient(logits, batch.targets!, batch.labels);
 * }
 */
export async function openTeacherStore(where: StorePlace): Promise<TeacherStore> {
  const operation = 'openTeacherStore';
  const files = filesAt(operation, where);
  const bytes = await files.read(DESCRIPTION_FILE);
  if (!bytes) {
    const place = typeof where === 'string' ? where : 'href' in where ? where.href : 'the storage';
    refuse('MISSING', operation, DESCRIPTION_FILE, 'be there', 'no such file', {
      sentence: `no store in ${place}: it has no ${DESCRIPTION_FILE}`,
      hint: 'createTeacherStore makes a store',
    });
  }
  const description = readDescription(operation, bytes);
  const catalog = await openCatalog(operation, files, description);
  const store: OpenStore = { files, description, catalog };
  return {
    description,
    size: sizeOf(store),
    verify: () => verifyStore(store),
    batches: (options) => readBatches(store, options),
  };
}

function sizeOf({ catalog: { shards } }: OpenStore): TeacherStoreSize {
  const chunks = shards.flatMap((shard) => shard.chunks);
  return {
    rows: chunks.reduce((total, { rows }) => total + rows, 0),
    sequences: chunks.reduce((total, { sequences }) => total + sequences, 0),
    shards: shards.length,
    bytes: shards.reduce((total, { bytes }) => total + bytes, 0),
  };
}
