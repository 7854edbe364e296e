import { refuse } from '../core/errors.js';
import { checksumOf, fingerprintOf } from './checksum.js';
import { findSequences } from './decode.js';
import type { TeacherStoreDescription } from './description.js';
import type { StoreFiles } from './files.js';
import {
  type ColumnValues,
  columnNames,
  openShard,
  readColumns,
  type ShardFile,
} from './shardFile.js';
import { checksumIn, isShard } from './shardName.js';

/** Row groups that hold whole sequences: the unit in which a store is read, shuffled and split. */
export interface Chunk {
  /** First and last row group: the same, unless another program has split a sequence. */
  readonly groups: readonly [first: number, last: number];
  /** Number of rows that readers return. */
  readonly rows: number;
  /** Number of sequences that readers return. */
  readonly sequences: number;
  /** Number of rows of the longest sequence. */
  readonly longest: number;
  /** Indices of sequences whose key is also in an earlier shard: readers skip them. */
  readonly skip?: readonly number[] | undefined;
}

/** The properties of a shard that readers need before they read it. */
export interface Shard {
  readonly name: string;
  readonly bytes: number;
  readonly footer: number;
  readonly checksum?: string | undefined;
  readonly tokens: boolean;
  readonly labels: boolean;
  readonly chunks: readonly Chunk[];
}

/** The content of a store: its shards, ordered by name. */
export interface Catalog {
  readonly shards: readonly Shard[];
}

/** A shard with the keys and the offsets of the sequences of its chunks. */
export interface ShardContent {
  readonly shard: Omit<Shard, 'chunks'>;
  readonly chunks: readonly {
    readonly groups: readonly [first: number, last: number];
    readonly keys: readonly string[];
    readonly offsets: Int32Array;
  }[];
}

const MANIFEST_VERSION = 1;
export const MANIFEST_FILE = 'manifest.json';

/** Number of concurrent reads: one read after the other would be slow over a network. */
const CONCURRENCY = 8;

/** Calls an asynchronous function for every value, for a few values at a time. */
export async function inSlices<V, R>(
  values: readonly V[],
  call: (value: V) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < values.length; i += CONCURRENCY) {
    results.push(...(await Promise.all(values.slice(i, i + CONCURRENCY).map(call))));
  }
  return results;
}

/** Lists the shards of a store in their order; undefined if the files cannot be listed. */
export async function listShards(files: StoreFiles): Promise<string[] | undefined> {
  return (await files.list())?.filter(isShard).sort();
}

/** Reads the keys of a shard. */
export async function readContent(
  operation: string,
  files: StoreFiles,
  description: TeacherStoreDescription,
  name: string,
): Promise<ShardContent> {
  const bytes = files.size ? await files.size(name) : ((await files.read(name))?.length ?? 0);
  const file = await openShard(operation, files, { name, bytes }, description);
  const present = columnNames(file);
  const shard = {
    name,
    bytes: file.bytes,
    footer: file.footer,
    checksum: checksumIn(name),
    tokens: present.has('token'),
    labels: present.has('label'),
  };
  const chunks = await readKeys(operation, files, file);
  return { shard, chunks };
}

type KeyedChunks = ShardContent['chunks'];

/** Reads the keys of all chunks. */
async function readKeys(
  operation: string,
  files: StoreFiles,
  file: ShardFile,
): Promise<KeyedChunks> {
  const last = file.metadata.row_groups.length - 1;
  if (last < 0) return [];
  const values = await readColumns(operation, files, file, [0, last], ['key', 'position']);
  return chunkGroups(file, values).map(({ groups, start, end }) => {
    const part = {
      key: values.key!.slice(start, end),
      position: values.position!.slice(start, end),
    };
    return { groups, ...findSequences(operation, file.name, part) };
  });
}

/** Joins row groups if a sequence continues in the next row group. */
function chunkGroups({ metadata }: ShardFile, { position }: ColumnValues) {
  const chunks: { groups: [number, number]; start: number; end: number }[] = [];
  let start = 0;
  for (const [group, { num_rows }] of metadata.row_groups.entries()) {
    const end = start + Number(num_rows);
    const chunk = chunks.at(-1);
    if (chunk && Number(position![start]) !== 0) {
      chunk.groups[1] = group;
      chunk.end = end;
    } else {
      chunks.push({ groups: [group, group], start, end });
    }
    start = end;
  }
  return chunks;
}

/** Makes the catalog. Of several sequences with the same key, readers return only the first. */
export function catalogOf(contents: readonly ShardContent[]): Catalog {
  const seen = new Set<string>();
  const sorted = [...contents].sort((a, b) => (a.shard.name < b.shard.name ? -1 : 1));
  const shards = sorted.map(({ shard, chunks }) => ({
    ...shard,
    chunks: chunks.map(({ groups, keys, offsets }): Chunk => {
      let [rows, longest] = [0, 0];
      const skip: number[] = [];
      for (const [i, key] of keys.entries()) {
        const length = offsets[i + 1]! - offsets[i]!;
        if (seen.has(key)) skip.push(i);
        else rows += length;
        longest = Math.max(longest, length);
        seen.add(key);
      }
      const sequences = keys.length - skip.length;
      return { groups, rows, sequences, longest, ...(skip.length > 0 ? { skip } : {}) };
    }),
  }));
  return { shards };
}

/** Writes the manifest, which also holds the checksums of shards of other programs. */
export async function writeManifest(
  operation: string,
  files: StoreFiles,
  { shards }: Catalog,
): Promise<void> {
  const complete: Shard[] = [];
  for (const shard of shards) {
    complete.push({
      ...shard,
      checksum: shard.checksum ?? (await checksumOfFile(operation, files, shard.name)),
    });
  }
  const check = fingerprintOf(complete);
  const manifest = JSON.stringify({ version: MANIFEST_VERSION, check, shards: complete });
  await files.write(MANIFEST_FILE, new TextEncoder().encode(manifest));
}

async function checksumOfFile(operation: string, files: StoreFiles, name: string): Promise<string> {
  const bytes = await files.read(name);
  if (!bytes) refuse('MISSING', operation, name, 'be there: it was listed', 'no such file');
  return checksumOf(operation, bytes);
}

/** Reads the manifest; undefined if there is none, or if it has another version. */
export async function readManifest(
  operation: string,
  files: StoreFiles,
): Promise<Catalog | undefined> {
  const bytes = await files.read(MANIFEST_FILE);
  if (!bytes) return undefined;
  const hint = 'delete it: close() of a writer writes it anew';
  let content: { version?: unknown; check?: unknown; shards?: unknown };
  try {
    content = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    refuse('DAMAGED', operation, MANIFEST_FILE, 'be JSON', 'something else', { hint });
  }
  if (content?.version !== MANIFEST_VERSION) return undefined;
  if (content.check !== fingerprintOf(content.shards)) {
    refuse('DAMAGED', operation, MANIFEST_FILE, 'be as it was written', 'something else', { hint });
  }
  return { shards: content.shards as Shard[] };
}

/** Reads the catalog of a store: from its manifest if that is up to date, else from its shards. */
export async function openCatalog(
  operation: string,
  files: StoreFiles,
  description: TeacherStoreDescription,
): Promise<Catalog> {
  const manifest = await readManifest(operation, files);
  const names = await listShards(files);
  if (names === undefined) {
    if (manifest) return manifest;
    const hint = 'close() of the writer writes it; behind a URL it is needed';
    refuse('MISSING', operation, MANIFEST_FILE, 'be there', 'no such file', { hint });
  }
  const listed = manifest?.shards.map(({ name }) => name);
  if (listed && listed.length === names.length && names.every((name, i) => name === listed[i])) {
    return manifest!;
  }
  const read = (name: string) => readContent(operation, files, description, name);
  return catalogOf(await inSlices(names, read));
}
