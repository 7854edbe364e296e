import { checkInteger, checkOptions, refuse, throwType } from '../core/errors.js';
import {
  catalogOf,
  inSlices,
  listShards,
  readContent,
  type ShardContent,
  writeManifest,
} from './catalog.js';
import { checksumOf } from './checksum.js';
import {
  checkStoredDescription,
  DESCRIPTION_FILE,
  describeStore,
  type TeacherStoreDescription,
  type TeacherStoreOptions,
  writeDescription,
} from './description.js';
import { encodeShard } from './encode.js';
import type { StoreFiles } from './files.js';
import { columnsOf, gather, kindsOf, lengthOf, type Rows } from './rows.js';
import { readSequence, type TeacherSequence } from './sequence.js';
import { nextNumber, shardName } from './shardName.js';
import { filesAt, type StorePlace } from './storage.js';

/** Adds sequences to a store. */
export interface TeacherStoreWriter {
  /**
   * Whether the store has a key: in a whole shard of any writer, as of the last flush, or appended
   * by this writer. Ask before the teacher is asked.
   */
  has(key: string): boolean;
  /**
   * Adds a sequence. It is checked at once, and on disk after the next flush or once `shardRows`
   * rows wait. Wait for the promise before the next call: it holds back while a shard is written.
   *
   * @param key - name of the sequence, unique in the store, e.g. the number of the document
   * @returns true; false if the key was there, and nothing changed
   * @throws {DistillationError} for what cannot be stored: nothing of the sequence is
   */
  append(key: string, sequence: TeacherSequence): Promise<boolean>;
  /**
   * Writes what was appended as a shard, whole and with its checksum: when it resolves, a job can
   * be acknowledged. Also notices what other writers wrote meanwhile. If it rejects, nothing is
   * lost: the next flush tries again.
   */
  flush(): Promise<void>;
  /**
   * Flushes, and writes `manifest.json`, which readers behind a URL need. From the call on,
   * `append` and `flush` are refused; if it rejects, the writer is open again.
   */
  close(): Promise<void>;
}

/**
 * Creates a store of what a teacher says, or goes on with one: after a process was killed, where
 * the last whole shard ends. Label once with a large teacher, then train as many students as you
 * like, on other machines or in a browser.
 *
 * Shards appear whole or not at all. Several writers, in one process or on many machines, may share
 * a store. If two of them append the same key before they notice each other, readers give out the
 * first one only, in the order of the names of the shards.
 *
 * @param where - a folder (it is made; Node 20.16 or later, Deno, Bun), or a storage with `write`
 * @param options - the teacher, its vocabulary, and how shards are written
 * @returns the writer; `close` it after the last sequence
 * @throws {DistillationError} MISMATCH for a store of another teacher, vocabulary, temperature,
 *   precision or of other dense rows, with its name; OUT_OF_RANGE and others for an option;
 *   UNAVAILABLE where there is no file system, and for a package that is not installed
 *
 * @remarks Needs the packages hyparquet and hyparquet-writer. Memory: the rows of a shard, twice,
 * and the keys of the store. Each flush makes a file: flush every few thousand rows, not every row.
 * An object storage without exclusive creation decides between two writers that create a store at
 * the same moment by chance; both compare their description with the one that stayed, and again
 * before they write a shard.
 *
 * @example
 * import { SparseTargets, Matrix } from 'knowledge-distillation';
 * import { createTeacherStore } from 'knowledge-distillation/store';
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 *
 * const folder = await mkdtemp(join(tmpdir(), 'store-'));
 * const store = await createTeacherStore(folder, { columns: 5, k: 2, teacher: 'big@1' });
 * const targets = SparseTargets.topK(Matrix.fromRows([[3, 1, 0, -1, -2], [0, 4, 2, 1, 0]]), 2);
 * // The student reads 4 and 0, and learns what the teacher says of the tokens 0 and 1 after them.
 * console.log(await store.append('document 1', { prompt: [4], tokens: [0, 1], targets })); // true
 * console.log(await store.append('document 1', { prompt: [4], tokens: [0, 1], targets })); // false
 * await store.close();
 */
export async function createTeacherStore(
  where: StorePlace,
  options: TeacherStoreOptions,
): Promise<TeacherStoreWriter> {
  const operation = 'createTeacherStore';
  const files = filesAt(operation, where);
  const known = ['columns', 'k', 'teacher', 'temperature', 'precision', 'dense'];
  checkOptions(
    operation,
    'options',
    options,
    [...known, 'shardRows', 'chunkRows', 'writer'],
    ['teacher'],
  );
  const description = describeStore(operation, options);
  const settings = {
    shardRows: checkInteger(operation, 'shardRows', options.shardRows ?? 16384, 1),
    chunkRows: checkInteger(operation, 'chunkRows', options.chunkRows ?? 1024, 1),
    writer: options.writer ?? `writer-${Math.random().toString(36).slice(2, 10)}`,
  };
  if (typeof settings.writer !== 'string') {
    throwType(operation, 'writer', 'be a string', settings.writer);
  }
  // With number, checksum and ending, the name of a shard has to fit in 255 bytes.
  if (!/^\w[\w.-]{0,199}$/.test(settings.writer)) {
    const expected =
      'be of at most 200 letters, digits, ".", "_" and "-", and begin with none of ".-"';
    refuse('OUT_OF_RANGE', operation, 'writer', expected, JSON.stringify(settings.writer));
  }
  await files.prepare();
  if (!(await files.read(DESCRIPTION_FILE))) {
    await files.create(DESCRIPTION_FILE, writeDescription(description));
  }
  await checkStoredDescription(operation, files, description);
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
  #closing: Promise<void> | undefined;

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

  close(): Promise<void> {
    this.#closing ??= this.#close().catch((error: unknown) => {
      this.#closing = undefined; // nothing was lost: the writer can be used, and closed again
      throw error;
    });
    return this.#closing;
  }

  async #close(): Promise<void> {
    const operation = 'TeacherStoreWriter.close';
    await this.#enqueue(operation);
    // The last writer to close has to list every shard: look again after writing.
    for (let known = -1; known !== this.#shards.size; await this.catchUp(operation)) {
      known = this.#shards.size;
      await writeManifest(operation, this.#files, catalogOf([...this.#shards.values()]));
    }
  }

  /** Reads the keys of shards that are new. */
  async catchUp(operation: string): Promise<string[]> {
    const names = (await listShards(this.#files)) ?? [];
    const fresh = names.filter((name) => !this.#shards.has(name));
    await inSlices(fresh, async (name) => {
      this.#add(name, await readContent(operation, this.#files, this.#description, name));
    });
    this.#forgetAllBut(names);
    return names;
  }

  #add(name: string, content: ShardContent): void {
    this.#shards.set(name, content);
    for (const { keys } of content.chunks) for (const key of keys) this.#written.add(key);
  }

  /** Forgets the shards that were deleted, with their keys: they can be appended again. */
  #forgetAllBut(names: readonly string[]): void {
    const known = new Set(names);
    const kept = [...this.#shards].filter(([name]) => known.has(name));
    if (kept.length === this.#shards.size) return;
    this.#shards.clear();
    this.#written.clear();
    for (const [name, content] of kept) this.#add(name, content);
  }

  #checkOpen(operation: string): void {
    if (!this.#closing) return;
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
      const checksum = await checksumOf(operation, bytes);
      const name = shardName(writer, nextNumber(writer, names), checksum);
      await checkStoredDescription(operation, this.#files, this.#description);
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
  const columns = columnsOf(description, kindsOf(sequences));
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
