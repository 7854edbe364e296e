import { refuse } from '../core/errors.js';
import type { BatchOptions, TeacherBatch } from './batch.js';
import { readBatches } from './batches.js';
import { openCatalog } from './catalog.js';
import { DESCRIPTION_FILE, readDescription, type TeacherStoreDescription } from './description.js';
import type { OpenStore } from './openStore.js';
import { filesAt, type StorePlace } from './storage.js';
import { shownURL } from './url.js';
import { verifyStore } from './verify.js';

/** The size of a store. */
export interface TeacherStoreSize {
  /** Number of rows that `batches` returns. */
  readonly rows: number;
  /** Number of sequences that `batches` returns: the number of keys. */
  readonly sequences: number;
  /** Number of shards. */
  readonly shards: number;
  /** Number of bytes of all shards. */
  readonly bytes: number;
}

/** A store that is open for reading. */
export interface TeacherStore {
  /** The description of the store: its teacher and its formats. */
  readonly description: TeacherStoreDescription;
  /** The number of rows, sequences, shards and bytes. */
  readonly size: TeacherStoreSize;
  /**
   * Reads every shard, and compares it with its checksum. A shard of another program gets a
   * checksum when a writer of the store is closed; before that, its rows are checked instead.
   *
   * @returns a promise that resolves if the store is intact
   * @throws {DistillationError} `DAMAGED`, `MISSING` or `MISMATCH`; `argument` is the name of the
   *   first file that is damaged, missing, or not listed in the manifest
   */
  verify(): Promise<void>;
  /**
   * Reads the store once, in batches of whole sequences: one epoch.
   *
   * With a seed, the chunks are shuffled and assigned to the parts in turn; then the sequences of
   * each 8 chunks are shuffled together. The order depends only on the seed, the part and the
   * store. Use another seed for each epoch.
   *
   * @param options - `rows`, `seed`, `part`, `from`, and what to read
   * @returns the batches, to be read by `for await`
   * @throws {DistillationError} at once: `OUT_OF_RANGE` for an option, `MISMATCH` for a position of
   * another store, seed or part. During the iteration: `DAMAGED` or `MISSING`, with the name of the
   * file
   *
   * @remarks Memory: with a seed, two times 8 chunks, because the next 8 chunks are read meanwhile;
   * without a seed, two chunks. Columns in shards of this library are compared with their
   * fingerprints as they are read; columns in shards of other programs are not.
   */
  batches(options: BatchOptions): AsyncIterable<TeacherBatch>;
}

/**
 * Opens a store for reading: in a folder, behind a URL (read by byte ranges), or in a storage of
 * your own.
 *
 * @param where - a path of a folder, a URL (`http:`, `https:` or `file:`), or a storage with `list`
 *   and `read`
 * @returns the description and the size of the store, and its batches. The store is read as it is
 * at the moment: open it again to see what was written later
 * @throws {DistillationError} `MISSING` if there is no store or, behind a URL, no manifest;
 *   `DAMAGED`, with the name of the file; `UNAVAILABLE` if the server does not respond, or if a
 *   package is not installed
 *
 * @remarks Needs the package hyparquet, and hyparquet-compressors for compressed shards of other
 * programs.
 *
 * @example
 * ```ts
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
 *   const logits = Matrix.zeros(2, 5); // the logits of the student, which reads batch.tokens
 *   const loss = strategy.computeLoss(logits, batch.targets!, batch.labels);
 *   console.log(loss.toFixed(4)); // 1.1490
 * }
 * ```
 */
export async function openTeacherStore(where: StorePlace): Promise<TeacherStore> {
  const operation = 'openTeacherStore';
  const files = filesAt(operation, where);
  const bytes = await files.read(DESCRIPTION_FILE);
  if (!bytes) {
    const place =
      typeof where === 'string'
        ? where
        : 'href' in where
          ? shownURL(new URL(where.href))
          : 'the storage';
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
