import { UNLABELED } from '../core/labels.js';
import type { TeacherStoreDescription } from './description.js';
import { findFault } from './faults.js';
import type { StoreFiles } from './files.js';
import { allocateRows, type Columns, NO_TOKEN, type Rows } from './rows.js';
import {
  type ColumnValues,
  columnNames,
  type Groups,
  readColumns,
  refuseShard,
  type ShardFile,
} from './shardFile.js';

/** The files to read from, and the columns to read. */
export interface Source {
  readonly files: StoreFiles;
  readonly description: TeacherStoreDescription;
  readonly columns: Columns;
}

/** Reads row groups of a shard as whole sequences. Throws for values that no writer stores. */
export async function decodeRows(
  operation: string,
  { files, description, columns }: Source,
  shard: ShardFile,
  groups: Groups,
): Promise<Rows> {
  const { name } = shard;
  const values = await readColumns(operation, files, shard, groups, neededColumns(shard, columns));
  const { keys, offsets } = findSequences(operation, name, values);
  const rows = allocateRows(keys, offsets, columns);
  copyIds(values.token, NO_TOKEN, rows.tokens);
  copyIds(values.label, UNLABELED, rows.labels);
  if (rows.targets) copyTargets(operation, name, values, rows.targets, columns.k);
  for (const [dense, width] of Object.entries(columns.dense)) {
    for (const [row, list] of values[dense]!.entries()) {
      const numbers = (list ?? []) as unknown[];
      if (numbers.length !== width) {
        refuseShard(operation, name, `${numbers.length} numbers of ${dense} in row ${row}`);
      }
      rows.dense[dense]!.set(numbers.map(numberOf), row * width);
    }
  }
  // The bytes of a sealed shard are valid: their fingerprints were compared when they were read.
  const fault = shard.seal ? undefined : findFault(rows, description);
  if (fault) refuseShard(operation, name, `${fault} (row group ${groups[0]})`);
  return rows;
}

/** Returns the names of the columns that rows are read from. */
function neededColumns(shard: ShardFile, columns: Columns): string[] {
  const present = columnNames(shard);
  const names = ['key', 'position'];
  if (columns.tokens && present.has('token')) names.push('token');
  if (columns.labels && present.has('label')) names.push('label');
  if (columns.k > 0) names.push('indices', 'log_probabilities', 'log_tail');
  return [...names, ...Object.keys(columns.dense)];
}

/** Copies tokens or labels. Shards of other programs hold null for a row without one. */
function copyIds(
  ids: readonly unknown[] | undefined,
  none: number,
  target: Int32Array | undefined,
): void {
  for (const [row, id] of (ids ?? []).entries()) target![row] = idOf(id ?? none);
}

/** Converts a value to a number; NaN for other types, because null would become 0. */
function numberOf(value: unknown): number {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN;
}

/** Converts a value to an int32; to −2³¹, which is neither a token nor a label, if it is none. */
function idOf(value: unknown): number {
  const id = numberOf(value);
  return id === (id | 0) ? id : -(2 ** 31);
}

function copyTargets(
  operation: string,
  name: string,
  values: ColumnValues,
  targets: NonNullable<Rows['targets']>,
  k: number,
): void {
  for (const [row, list] of values.indices!.entries()) {
    const indices = (list ?? []) as ArrayLike<unknown>;
    const logProbabilities = (values.log_probabilities![row] ?? []) as ArrayLike<unknown>;
    if (indices.length !== logProbabilities.length || indices.length > k) {
      const received = `${indices.length} classes of ${logProbabilities.length} values`;
      refuseShard(operation, name, `${received} in row ${row}`);
    }
    for (let i = 0; i < indices.length; i++) {
      const index = numberOf(indices[i]);
      if (!Number.isInteger(index)) refuseShard(operation, name, `class ${index} in row ${row}`);
      targets.indices[row * k + i] = index;
      targets.logProbabilities[row * k + i] = numberOf(logProbabilities[i]);
    }
    targets.counts[row] = indices.length;
    if (indices.length > 0) targets.logTail[row] = numberOf(values.log_tail![row]);
  }
}

/** Finds the sequences. A row at position 0 starts a sequence. */
export function findSequences(
  operation: string,
  name: string,
  { key, position }: ColumnValues,
): { keys: string[]; offsets: Int32Array } {
  const keys: string[] = [];
  const offsets: number[] = [];
  for (let row = 0; row < key!.length; row++) {
    const place = Number(position![row]);
    const isString = typeof key![row] === 'string' && key![row] !== '';
    if (isString && place === 0) {
      keys.push(key![row] as string);
      offsets.push(row);
      continue;
    }
    const follows = isString && row > 0 && key![row] === key![row - 1];
    if (follows && place === row - offsets.at(-1)!) continue;
    const received = `key ${JSON.stringify(key![row])} at position ${place} in row ${row}`;
    refuseShard(operation, name, received);
  }
  offsets.push(key!.length);
  return { keys, offsets: Int32Array.from(offsets) };
}
