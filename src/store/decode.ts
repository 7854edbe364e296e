import { IGNORE_INDEX, SUM_TOLERANCE, UNLABELED } from '../core/labels.js';
import type { TeacherStoreDescription } from './description.js';
import type { StoreFiles } from './files.js';
import { decodeAnyRows } from './general.js';
import { decodeGroup, type GroupBytes, neededColumns } from './parquet/decode.js';
import { type Columns, NO_TOKEN, type Rows } from './rows.js';
import { CREATOR } from './schema.js';
import { columnsIn, readRange, refuseShard, type ShardFile } from './shardFile.js';

/** Bytes that are read in vain rather than in two requests. */
const GAP = 8192;

/** Where to read, and what. */
export interface Source {
  readonly files: StoreFiles;
  readonly description: TeacherStoreDescription;
  readonly columns: Columns;
}

/** Whether this library wrote a shard, so that its layout is known. */
export function isOwn({ metadata }: ShardFile): boolean {
  return metadata.created_by === CREATOR;
}

/** Reads row groups of a shard as whole sequences; throws for what no writer stores. */
export async function decodeRows(
  operation: string,
  { files, description, columns }: Source,
  shard: ShardFile,
  groups: readonly [first: number, last: number],
): Promise<Rows> {
  const rows = isOwn(shard)
    ? await decodeOwnRows(operation, files, shard, groups[0], columns)
    : await decodeAnyRows(operation, files, shard, groups, columns);
  const fault = findFault(rows, description);
  if (fault) refuseShard(operation, shard.name, `${fault} of row group ${groups[0]}`);
  return rows;
}

async function decodeOwnRows(
  operation: string,
  files: StoreFiles,
  shard: ShardFile,
  group: number,
  columns: Columns,
): Promise<Rows> {
  const present = columnsIn(shard);
  const names = neededColumns(columns, (name) => present.has(name));
  const bytes = await readGroup(operation, files, shard, group, names);
  try {
    return decodeGroup(bytes, Number(shard.metadata.row_groups[group]!.num_rows), columns);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    refuseShard(operation, shard.name, `row group ${group}, where ${what}`);
  }
}

/** Reads columns of a row group, those side by side at once. */
export async function readGroup(
  operation: string,
  files: StoreFiles,
  { name, bytes: size, metadata }: ShardFile,
  group: number,
  names: readonly string[],
): Promise<GroupBytes> {
  const chunks = new Map(
    metadata.row_groups[group]!.columns.map(({ meta_data }) => [
      meta_data!.path_in_schema[0]!,
      meta_data!,
    ]),
  );
  const places = names.map((column) => {
    const chunk = chunks.get(column);
    if (!chunk) refuseShard(operation, name, `no column ${column} in row group ${group}`);
    const start = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset);
    const end = start + Number(chunk.total_compressed_size);
    if (!(start >= 0 && start < end && end <= size)) {
      refuseShard(operation, name, `column ${column} outside the file`);
    }
    return { column, start, end };
  });
  places.sort((a, b) => a.start - b.start);
  const ranges: { start: number; end: number }[] = [];
  for (const { start, end } of places) {
    const range = ranges.at(-1);
    if (range && start - range.end <= GAP) range.end = Math.max(range.end, end);
    else ranges.push({ start, end });
  }
  const parts = await Promise.all(ranges.map((range) => readRange(operation, files, name, range)));
  const bytes = new Map(
    places.map(({ column, start, end }) => {
      const i = ranges.findIndex((range) => start >= range.start && end <= range.end);
      const first = ranges[i]!.start;
      return [column, parts[i]!.subarray(start - first, end - first)];
    }),
  );
  return { metadata: chunks, bytes };
}

/** Returns the first value that no writer stores, in words. */
function findFault(rows: Rows, { columns = 2 ** 31 }: TeacherStoreDescription): string | undefined {
  const { tokens, labels, targets, dense } = rows;
  for (const [row, token] of (tokens ?? []).entries()) {
    if (token < NO_TOKEN) return `token ${token} in row ${row}`;
  }
  for (const [row, label] of (labels ?? []).entries()) {
    const isLabel = label >= 0 ? label < columns : label === UNLABELED || label === IGNORE_INDEX;
    if (!isLabel) return `label ${label} in row ${row}`;
  }
  if (targets) {
    const { indices, logProbabilities, logTail, counts } = targets;
    const k = indices.length / counts.length;
    for (let row = 0; row < counts.length; row++) {
      if (!(logTail[row]! <= SUM_TOLERANCE)) return `log_tail ${logTail[row]} in row ${row}`;
      for (let i = row * k; i < row * k + counts[row]!; i++) {
        const index = indices[i]!;
        if (!(index >= 0 && index < columns)) return `class ${index} in row ${row}`;
        const value = logProbabilities[i]!;
        if (!(value <= SUM_TOLERANCE)) return `log-probability ${value} in row ${row}`;
      }
    }
  }
  for (const name in dense) {
    const at = dense[name]!.findIndex((value) => !(value < Infinity));
    if (at >= 0) return `${name} ${dense[name]![at]}`;
  }
  return undefined;
}
