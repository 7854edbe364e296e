import { checkInteger, checkOptions, refuse, throwType } from '../core/errors.js';
import { catalogOf, listShards, readContent, type ShardContent, writeManifest } from './catalog.js';
import { checksum } from './checksum.js';
import {
  checkSameDescription,
  DESCRIPTION_FILE,
  type DescriptionOptions,
  describeStore,
  readDescription,
  type TeacherStoreDescription,
  writeDescription,
} from './description.js';
import type { StoreFiles } from './files.js';
import { encodeShard } from './parquet/encode.js';
import { columnsOf, gather, lengthOf, type Rows } from './rows.js';
import { readSequence, type TeacherSequence } from './sequence.js';
import { nextNumber, shardName } from './shardName.js';
import { filesAt, type StorePlace } from './storage.js';

/** Options of {@link createTeacherStore}. */
export interface TeacherStoreOptions extends DescriptionOptions {
  /** Rows of a shard, at least (whole sequences); an integer ≥ 1, 16384. */
  readonly shardRows?: number | undefined;
  /**
   * Rows of a chunk, at most unless one sequence is longer; an integer ≥ 1, 1024. The chunk is the
   * unit in which a store is read, shuffled and split among workers.
   */
  readonly chunkRows?: number | undefined;
  /** Name of this writer, of letters, digits, `.`, `_` and `-`; random. */
  readonly writer?: string | undefined;
}

/** Adds rows to a store. */
export interface TeacherStoreWriter {
  /** Whether a whole shard, or what this writer has not written yet, has the key. */
  has(key: string): boolean;
  /** Adds a sequence; resolves to false, and changes nothing, if the key was there. */
  append(key: string, sequence: TeacherSequence): Promise<boolean>;
  /** Writes what was appended; notices what other writers wrote meanwhile. */
  flush(): Promise<void>;
  /** Flushes, and writes the manifest, which readers behind a URL need. */
  close(): Promise<void>;
}

/** Creates a store, or goes on with one. */
export async function createTeacherStore(
  where: StorePlace,
  options: TeacherStoreOptions,
): Promise<TeacherStoreWriter> {
  const operation = 'createTeacherStore';
  const files = filesAt(operation, where);
  const known = ['columns', 'k', 'teacher', 'temperature', 'precision', 'dense'];
  checkOptions(operation, 'options', options, [...known, 'shardRows', 'chunkRows', 'writer']);
  const description = describeStore(operation, options);
  const settings = {
    shardRows: checkInteger(operation, 'shardRows', options.shardRows ?? 16384, 1),
    chunkRows: checkInteger(operation, 'chunkRows', options.chunkRows ?? 1024, 1),
    writer: options.writer ?? `writer-${Math.random().toString(36).slice(2, 10)}`,
  };
  if (typeof settings.writer !== 'string') {
    throwType(operation, 'writer', 'be a string', settings.writer);
  }
  if (!/^\w[\w.-]*$/.test(settings.writer)) {
    const expected = 'be of letters, digits, ".", "_" and "-", and begin with a letter or digit';
    refuse('OUT_OF_RANGE', operation, 'writer', expected, JSON.stringify(settings.writer));
  }
  await files.prepare?.();
  if (!(await files.read(DESCRIPTION_FILE))) {
    await files.create(DESCRIPTION_FILE, writeDescription(description));
  }
  const stored = await files.read(DESCRIPTION_FILE);
  if (!stored) {
    refuse('MISSING', operation, DESCRIPTION_FILE, 'be there after it was written', 'no such file');
  }
  checkSameDescription(operation, description, readDescription(operation, stored));
  const writer = new ShardWriter(files, description, settings);
  await writer.catchUp(operation);
  return writer;
}

interface Settings {
  readonly shardRows: number;
  readonly chunkRows: number;
  readonly writer: string;
}

class ShardWriter implements TeacherStoreWriter {
  readonly #files: StoreFiles;
  readonly #description: TeacherStoreDescription;
  readonly #settings: Settings;
  readonly #shards = new Map<string, ShardContent>();
  readonly #written = new Set<string>();
  #pending = new Map<string, Rows>();
  #pendingRows = 0;
  #queue: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(files: StoreFiles, description: TeacherStoreDescription, settings: Settings) {
    this.#files = files;
    this.#description = description;
    this.#settings = settings;
  }

  has(key: string): boolean {
    return this.#written.has(key) || this.#pending.has(key);
  }

  async append(key: string, sequence: TeacherSequence): Promise<boolean> {
    const operation = 'TeacherStoreWriter.append';
    this.#checkOpen(operation);
    if (this.has(key)) return false;
    const rows = readSequence(operation, key, sequence, this.#description);
    this.#pending.set(key, rows);
    this.#pendingRows += rows.offsets[1]!;
    if (this.#pendingRows >= this.#settings.shardRows) await this.#enqueue(operation);
    return true;
  }

  async flush(): Promise<void> {
    const operation = 'TeacherStoreWriter.flush';
    this.#checkOpen(operation);
    await this.#enqueue(operation);
  }

  async close(): Promise<void> {
    const operation = 'TeacherStoreWriter.close';
    if (this.#isClosed) return;
    await this.#enqueue(operation);
    // The last writer to close has to list every shard: look again after writing.
    for (let known = -1; known !== this.#shards.size; await this.catchUp(operation)) {
      known = this.#shards.size;
      await writeManifest(operation, this.#files, catalogOf([...this.#shards.values()]));
    }
    this.#isClosed = true;
  }

  /** Reads the keys of shards that are new. */
  async catchUp(operation: string): Promise<string[]> {
    const names = (await listShards(this.#files)) ?? [];
    for (const name of this.#shards.keys()) if (!names.includes(name)) this.#shards.delete(name);
    for (const name of names) {
      if (this.#shards.has(name)) continue;
      const content = await readContent(operation, this.#files, this.#description, name);
      this.#shards.set(name, content);
      for (const { keys } of content.chunks) for (const key of keys) this.#written.add(key);
    }
    return names;
  }

  #checkOpen(operation: string): void {
    if (!this.#isClosed) return;
    const hint = 'createTeacherStore goes on with the store';
    refuse('UNAVAILABLE', operation, 'writer', 'be open', 'a closed writer', { hint });
  }

  /** Writes one shard after the other, however many callers there are. */
  #enqueue(operation: string): Promise<void> {
    const written = this.#queue.then(() => this.#write(operation));
    this.#queue = written.catch(() => undefined);
    return written;
  }

  async #write(operation: string): Promise<void> {
    const names = await this.catchUp(operation);
    const sequences = [...this.#pending.values()];
    const fresh = sequences.filter(({ keys }) => !this.#written.has(keys[0]!));
    if (fresh.length > 0) {
      const { writer, chunkRows } = this.#settings;
      const chunks = packChunks(fresh, chunkRows, this.#description);
      const bytes = await encodeShard(operation, chunks, this.#description);
      const sha256 = await checksum(operation, bytes);
      const name = shardName(writer, nextNumber(writer, names), sha256);
      await this.#files.write(name, bytes);
      await this.catchUp(operation);
    }
    for (const { keys, offsets } of sequences) {
      this.#pending.delete(keys[0]!);
      this.#pendingRows -= offsets[1]!;
    }
  }
}

/** Packs sequences into chunks of at most `chunkRows` rows; a longer sequence is its own chunk. */
function packChunks(
  sequences: readonly Rows[],
  chunkRows: number,
  description: TeacherStoreDescription,
): Rows[] {
  const kinds = {
    tokens: sequences.some(({ tokens }) => tokens !== undefined),
    labels: sequences.some(({ labels }) => labels !== undefined),
  };
  const columns = columnsOf(description, kinds);
  const groups: Rows[][] = [];
  let count = 0;
  for (const rows of sequences) {
    const length = lengthOf({ rows, sequence: 0 });
    if (groups.length === 0 || count + length > chunkRows) {
      groups.push([]);
      count = 0;
    }
    groups.at(-1)!.push(rows);
    count += length;
  }
  return groups.map((group) =>
    gather(
      group.map((rows) => ({ rows, sequence: 0 })),
      columns,
    ),
  );
}
