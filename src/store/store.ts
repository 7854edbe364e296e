import { refuse } from '../core/errors.js';
import { type BatchOptions, type OpenStore, readBatches, type TeacherBatch } from './batches.js';
import { openCatalog } from './catalog.js';
import { DESCRIPTION_FILE, readDescription, type TeacherStoreDescription } from './description.js';
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
  /** Reads every shard; rejects with the name of a file that is damaged, missing or not listed. */
  verify(): Promise<void>;
  /** Returns the rows in batches of whole sequences. */
  batches(options: BatchOptions): AsyncIterable<TeacherBatch>;
}

/** Opens a store for reading. */
export async function openTeacherStore(where: StorePlace): Promise<TeacherStore> {
  const operation = 'openTeacherStore';
  const files = filesAt(operation, where);
  const bytes = await files.read(DESCRIPTION_FILE);
  if (!bytes) {
    const hint = 'createTeacherStore makes a store';
    refuse('MISSING', operation, DESCRIPTION_FILE, 'be there', 'no such file', { hint });
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
