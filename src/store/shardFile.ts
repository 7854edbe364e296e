import type { FileMetaData } from 'hyparquet';
import { refuse } from '../core/errors.js';
import type { TeacherStoreDescription } from './description.js';
import type { ByteRange, StoreFiles } from './files.js';
import { hashLayout, LAYOUT_KEY } from './layout.js';
import { decompressors, parquetReader } from './peers.js';
import { CREATOR } from './schema.js';

/** Bytes at the end of a Parquet file: the length of the footer, and the magic number. */
const TRAILER = 8;

const MAGIC = 0x31524150; // "PAR1"

/** Codecs that hyparquet itself has. */
const BUILT_IN = ['UNCOMPRESSED', 'SNAPPY'];

/** Where a shard is. */
export interface ShardPlace {
  readonly name: string;
  readonly bytes: number;
  /** Bytes of the footer with what follows it; unknown before it was read. */
  readonly footer?: number | undefined;
}

/** A shard whose footer was read. */
export interface ShardFile {
  readonly name: string;
  readonly bytes: number;
  readonly footer: number;
  readonly metadata: FileMetaData;
}

/** Reads the footer of a shard; throws for what is no Parquet file. */
export async function openShard(
  operation: string,
  files: StoreFiles,
  { name, bytes, footer }: ShardPlace,
  description: TeacherStoreDescription,
): Promise<ShardFile> {
  const { parquetMetadata } = await parquetReader(operation);
  const length = footer ?? (await footerLength(operation, files, name, bytes));
  const tail = await readRange(operation, files, name, { start: bytes - length, end: bytes });
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  if (view.getUint32(length - 4, true) !== MAGIC) refuseShard(operation, name, 'no Parquet file');
  let metadata: FileMetaData;
  try {
    metadata = parquetMetadata(tail.slice().buffer);
  } catch (error) {
    refuseShard(operation, name, String(error));
  }
  checkOrigin(operation, name, metadata, description);
  return { name, bytes, footer: length, metadata };
}

/** Throws for a shard of this library whose footer is damaged, or that is of another store. */
function checkOrigin(
  operation: string,
  name: string,
  { created_by, key_value_metadata, row_groups }: FileMetaData,
  description: TeacherStoreDescription,
): void {
  if (created_by !== CREATOR) return;
  const metadataOf = (name: string) => key_value_metadata?.find(({ key }) => key === name)?.value;
  if (metadataOf(LAYOUT_KEY) !== hashLayout(row_groups)) {
    refuseShard(operation, name, 'a footer with another checksum');
  }
  const stored = metadataOf(CREATOR);
  const own = JSON.stringify(description);
  if (stored === own) return;
  const hint = 'move the shard back to its store';
  refuse('MISMATCH', operation, name, `belong to ${own}`, stored ?? 'nothing', { hint });
}

async function footerLength(
  operation: string,
  files: StoreFiles,
  name: string,
  bytes: number,
): Promise<number> {
  if (!(bytes >= TRAILER)) refuseShard(operation, name, `${bytes} bytes`);
  const trailer = await readRange(operation, files, name, {
    start: bytes - TRAILER,
    end: bytes,
  });
  const view = new DataView(trailer.buffer, trailer.byteOffset, TRAILER);
  const length = view.getUint32(0, true) + TRAILER;
  if (view.getUint32(4, true) === MAGIC && length < bytes) return length;
  refuseShard(operation, name, 'no footer of Parquet at its end');
}

/** Reads bytes of a shard, which has to be there. */
export async function readRange(
  operation: string,
  files: StoreFiles,
  name: string,
  range: ByteRange,
): Promise<Uint8Array> {
  const bytes = await files.read(name, range);
  if (bytes) return bytes;
  refuse('MISSING', operation, name, 'be there: the store had it', 'no such file');
}

/** Throws that a shard is damaged. */
export function refuseShard(operation: string, name: string, received: string): never {
  const hint = 'verify() names every damaged file; delete it, and append its keys again';
  refuse('DAMAGED', operation, name, 'be a whole shard', received, { hint });
}

/** Returns the names of the columns that a shard has. */
export function columnsIn({ metadata }: ShardFile): Set<string> {
  const chunks = metadata.row_groups[0]?.columns ?? [];
  return new Set(chunks.map(({ meta_data }) => meta_data!.path_in_schema[0]!));
}

/** Values of columns, by name, of the row groups [first, last]. */
export type ColumnValues = Readonly<Record<string, readonly unknown[]>>;

/** Reads columns of row groups, whoever wrote them. */
export async function readColumns(
  operation: string,
  files: StoreFiles,
  { name, bytes, metadata }: ShardFile,
  [first, last]: readonly [first: number, last: number],
  columns: readonly string[],
): Promise<ColumnValues> {
  const { parquetRead } = await parquetReader(operation);
  const groups = metadata.row_groups;
  const codecs = groups
    .slice(first, last + 1)
    .flatMap((group) => group.columns.map(({ meta_data }) => meta_data?.codec ?? 'UNCOMPRESSED'));
  const needsMore = codecs.some((codec) => !BUILT_IN.includes(codec));
  const rowsOf = (group: number) => Number(groups[group]!.num_rows);
  const rowStart = sum(first, rowsOf);
  const rowEnd = sum(last + 1, rowsOf);
  const values: Record<string, unknown[]> = Object.fromEntries(columns.map((c) => [c, []]));
  const file = {
    byteLength: bytes,
    slice: async (start: number, end = bytes) =>
      (await readRange(operation, files, name, { start, end })).slice().buffer,
  };
  try {
    await parquetRead({
      file,
      metadata,
      columns: [...columns],
      rowStart,
      rowEnd,
      ...(needsMore ? { compressors: await decompressors(operation) } : {}),
      onChunk({ columnName, columnData }) {
        const target = values[columnName]!;
        for (const value of columnData) target.push(value);
      },
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw error;
    refuseShard(operation, name, String(error));
  }
  for (const column of columns) {
    if (values[column]!.length === rowEnd - rowStart) continue;
    refuseShard(operation, name, `${values[column]!.length} values of column ${column}`);
  }
  return values;
}

/** Sum of the first values. */
function sum(count: number, value: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += value(i);
  return total;
}
