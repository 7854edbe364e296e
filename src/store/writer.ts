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

/** Writes sequences to a store. */
export interface TeacherStoreWriter {
  /**
   * Whether the store has a key. It has the keys that this writer appended, and the keys in the
   * shards of other writers as of the last flush. Call it before running the teacher.
   *
   * @param key - key of a sequence
   * @returns whether `append` would leave the store unchanged
   */
  has(key: string): boolean;
  /**
   * Adds a sequence. It is checked at once, and written to disk by the next flush, or when
   * `shardRows` rows are waiting. Await the promise before the next call: it resolves later while a
   * shard is written, which limits the rows in memory.
   *
   * @param key - key of the sequence, unique in the store, such as the number of a document
   * @param sequence - the rows of the sequence
   * @returns true; false if the store had the key, and is unchanged
   * @throws {DistillationError} for a sequence that cannot be stored; the store is then unchanged
   */
  append(key: string, sequence: TeacherSequence): Promise<boolean>;
  /**
   * Writes all appended sequences as a shard, atomically and with a checksum. Once the promise
   * resolves, they are on disk, and a job can be acknowledged. A flush also reads the keys of new
   * shards of other writers. If it rejects, nothing is lost: the next flush tries again.
   *
   * @returns a promise that resolves when the shard is on disk
   */
  flush(): Promise<void>;
  /**
   * Flushes, and writes `manifest.json`, which readers behind a URL need. After the call, `append`
   * and `flush` are refused. If the promise rejects, the writer is open again.
   *
   * @returns a promise that resolves when the manifest is written
   */
  close(): Promise<void>;
}

/**
 * Creates a store of a teacher's outputs, or continues an existing store. After a process was
 * killed, a new writer continues after the last complete shard. Label once with a large teacher,
 * then train any number of students, on other machines or in a browser.
 *
 * Shards are written atomically. Several writers, in one process or on many machines, may share a
 * store. If two writers append the same key before a flush shows each the other's keys, readers
 * return only one of both sequences: the first in the order of the names of the shards.
 *
 * @param where - a folder, which is made if necessary (Node 20.16 or later, Deno, Bun), or a
 * storage with `write`
 * @param options - the teacher and its formats; size of shards and chunks; name of the writer
 * @returns the writer; `close` it after the last sequence
 * @throws {DistillationError} `MISMATCH` for an existing store of another teacher, vocabulary,
 *   temperature, precision or of other dense rows; `OUT_OF_RANGE`, `EMPTY` and `MISPLACED_OPTION`
 *   for an option; `UNAVAILABLE` without a file system, and for a package that is not installed
 *
 * @remarks Needs the packages hyparquet and hyparquet-writer. Memory: twice the rows of a shard,
 * and the keys of the store. Each flush makes a file: flush every few thousand rows, not every row.
 * If two writers create a store at the same moment in an object storage without exclusive creation,
 * one of both descriptions remains. Each writer compares its description with the remaining one,
 * and again before it writes a shard.
 *
 * @example
 * ```ts
 * import { SparseTargets, Matrix } from 'knowledge-distillation';
 * import { createTeacherStore } from 'knowledge-distillation/store';
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 *
 * const folder = await mkdtemp(join(tmpdir(), 'store-'));
 * const store = await createTeacherStore(folder, { columns: 5, k: 2, teacher: 'big@1' });
 * const targets = SparseTargets.topK(Matrix.fromRows([[3, 1, 0, -1, -2], [0, 4, 2, 1, 0]]), 2);
 * // The student reads the tokens 4 and 0, and learns to predict the tokens 0 and 1.
 * console.log(await store.append('document 1', { prompt: [4], tokens: [0, 1], targets })); // true
 * console.log(await store.append('document 1', { prompt: [4], tokens: [0, 1], targets })); // false
 * await store.close();
 * ```
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
  // The name of a shard also has number, checksum and extension, and must fit in 255 bytes.
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
      this.#closing = undefined; // nothing is lost: the writer can be used and closed again
      throw error;
    });
    return this.#closing;
  }

  async #close(): Promise<void> {
    const operation = 'TeacherStoreWriter.close';
    await this.#enqueue(operation);
    // The manifest of the last writer must list every shard: look for new shards after writing.
    for (let known = -1; known !== this.#shards.size; await this.catchUp(operation)) {
      known = this.#shards.size;
      await writeManifest(operation, this.#files, catalogOf([...this.#shards.values()]));
    }
  }

  /** Reads the keys of new shards. */
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

  /** Forgets deleted shards and their keys: the keys can then be appended again. */
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

  /** Writes shards one after the other, also if several callers flush. */
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
