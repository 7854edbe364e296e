import type { FileMetaData } from 'hyparquet';
import { DistillationError, refuse } from '../core/errors.js';
import { fingerprint } from './checksum.js';
import type { TeacherStoreDescription } from './description.js';
import type { ByteRange, StoreFiles } from './files.js';
import { decompressors, parquetReader } from './peers.js';
import { columnsIn, fingerprintOfLayout, placeOf, readSeal, type Seal } from './seal.js';

/** Number of bytes at the end of a Parquet file: the length of the footer and the magic number. */
const TRAILER = 8;

const MAGIC = 0x31524150; // "PAR1"

/** Largest gap in bytes between two columns that are read in one request. */
const LARGEST_GAP = 8192;

/** Codecs that hyparquet supports by itself. */
const BUILT_IN = ['UNCOMPRESSED', 'SNAPPY'];

/** The name and the sizes of a shard. */
export interface ShardPlace {
  readonly name: string;
  readonly bytes: number;
  /** Number of bytes of the footer and the trailer; undefined before the footer is read. */
  readonly footer?: number | undefined;
}

/** A shard whose footer was read. */
export interface ShardFile {
  readonly name: string;
  readonly bytes: number;
  readonly footer: number;
  readonly metadata: FileMetaData;
  /** Undefined if another program wrote the shard. */
  readonly seal: Seal | undefined;
}

/** Reads the footer of a shard. Throws if the file is not a Parquet file. */
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
  try {
    const metadata = parquetMetadata(tail.slice().buffer);
    columnNames({ metadata }); // throws for a footer without the names of columns
    const seal = checkSeal(operation, name, metadata, description);
    return { name, bytes, footer: length, metadata, seal };
  } catch (error) {
    if (error instanceof DistillationError) throw error;
    refuseShard(operation, name, `bytes that cannot be read (${String(error)})`);
  }
}

/** Returns the seal of a shard. Throws if this library wrote the shard into another store. */
function checkSeal(
  operation: string,
  name: string,
  metadata: FileMetaData,
  description: TeacherStoreDescription,
): Seal | undefined {
  const seal = readSeal(metadata);
  if (!seal) return undefined;
  if (seal.layout !== fingerprintOfLayout(metadata)) {
    refuseShard(operation, name, 'another layout of columns');
  }
  if (!seal.store || seal.columns.length !== columnsIn(metadata).length) {
    refuseShard(operation, name, 'a damaged seal');
  }
  const [own, stored] = [description, seal.store].map((store) => JSON.stringify(store));
  if (stored === own) return seal;
  const hint = 'move the shard back to its store';
  refuse('MISMATCH', operation, name, `belong to ${own}`, stored!, { hint });
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

/** Reads bytes of a shard. Throws if there is no such file. */
async function readRange(
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
  const hint = 'delete it, append its keys again with a new writer, and close that';
  refuse('DAMAGED', operation, name, 'hold the rows of a shard', received, { hint });
}

/** Returns the names of the columns that a shard has. */
export function columnNames({ metadata }: Pick<ShardFile, 'metadata'>): Set<string> {
  return new Set(columnsIn(metadata).map(({ path_in_schema }) => path_in_schema[0]!));
}

/** The first and the last of the row groups to read. */
export type Groups = readonly [first: number, last: number];

/** Values of columns, by name. */
export type ColumnValues = Readonly<Record<string, readonly unknown[]>>;

/** Reads columns of row groups, of this library or of another program. */
export async function readColumns(
  operation: string,
  files: StoreFiles,
  shard: ShardFile,
  groups: Groups,
  columns: readonly string[],
): Promise<ColumnValues> {
  const { name, bytes, metadata } = shard;
  const present = columnNames(shard);
  const missing = columns.find((column) => !present.has(column));
  if (missing !== undefined) refuseShard(operation, name, `no column ${missing}`);
  const { parquetRead } = await parquetReader(operation);
  const parts = partsOf(shard, groups, columns);
  const needsMore = parts.some(({ codec }) => !BUILT_IN.includes(codec));
  const rowsBefore = (group: number) =>
    metadata.row_groups.slice(0, group).reduce((rows, { num_rows }) => rows + Number(num_rows), 0);
  const [rowStart, rowEnd] = [rowsBefore(groups[0]), rowsBefore(groups[1] + 1)];
  const values: Record<string, unknown[]> = Object.fromEntries(columns.map((c) => [c, []]));
  const filled: Record<string, number> = Object.fromEntries(columns.map((c) => [c, 0]));
  try {
    await parquetRead({
      file: { byteLength: bytes, slice: await readAhead(operation, files, shard, parts) },
      metadata,
      columns: [...columns],
      rowStart,
      rowEnd,
      ...(needsMore ? { compressors: await decompressors(operation) } : {}),
      // Row groups arrive in any order.
      onChunk({ columnName, columnData, rowStart: start }) {
        const target = values[columnName]!;
        for (let i = 0; i < columnData.length; i++) target[start - rowStart + i] = columnData[i];
        filled[columnName]! += columnData.length;
      },
    });
  } catch (error) {
    if (error instanceof DistillationError) throw error;
    refuseShard(operation, name, `bytes that cannot be read (${String(error)})`);
  }
  for (const column of columns) {
    if (filled[column] === rowEnd - rowStart) continue;
    refuseShard(operation, name, `${filled[column]} values of column ${column}`);
  }
  return values;
}

/** The bytes of a column in a row group. */
interface ColumnPart {
  readonly codec: string;
  readonly start: number;
  readonly end: number;
  /** Fingerprint of the bytes; undefined if another program wrote them. */
  readonly fingerprint: string | undefined;
}

/** Finds the columns of row groups, in the order in which they are stored. */
function partsOf(
  { metadata, seal }: ShardFile,
  [first, last]: Groups,
  columns: readonly string[],
): ColumnPart[] {
  const before = columnsIn({ ...metadata, row_groups: metadata.row_groups.slice(0, first) }).length;
  return columnsIn({ ...metadata, row_groups: metadata.row_groups.slice(first, last + 1) })
    .map((column, i) => ({ column, fingerprint: seal?.columns[before + i] }))
    .filter(({ column }) => columns.includes(column.path_in_schema[0]!))
    .map(({ column, fingerprint }) => ({ codec: column.codec, ...placeOf(column), fingerprint }))
    .sort((a, b) => a.start - b.start);
}

/**
 * Reads the bytes of columns, adjacent columns in one request. Returns a function that returns
 * parts of these bytes.
 */
async function readAhead(
  operation: string,
  files: StoreFiles,
  { name, bytes: size }: ShardFile,
  columns: readonly ColumnPart[],
): Promise<(start: number, end?: number) => Promise<ArrayBuffer>> {
  const ranges: { start: number; end: number }[] = [];
  for (const { start, end } of columns) {
    const range = ranges.at(-1);
    if (range && start - range.end <= LARGEST_GAP) range.end = Math.max(range.end, end);
    else ranges.push({ start, end });
    if (!(start >= 0 && start < end && end <= size)) {
      refuseShard(operation, name, 'a column outside the file');
    }
  }
  const parts = await Promise.all(ranges.map((range) => readRange(operation, files, name, range)));
  const bytesAt = (start: number, end: number) => {
    const i = ranges.findIndex((range) => start >= range.start && end <= range.end);
    return parts[i]?.subarray(start - ranges[i]!.start, end - ranges[i]!.start);
  };
  for (const { start, end, fingerprint: known } of columns) {
    if (known === undefined || fingerprint(bytesAt(start, end)!) === known) continue;
    refuseShard(operation, name, `other bytes from ${start} to ${end}`);
  }
  return async (start, end = size) => {
    const bytes = bytesAt(start, end) ?? (await readRange(operation, files, name, { start, end }));
    return bytes.slice().buffer;
  };
}
