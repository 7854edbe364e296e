import { UNLABELED } from '../core/labels.js';
import type { StoreFiles } from './files.js';
import { neededColumns } from './parquet/decode.js';
import { allocateRows, type Columns, NO_TOKEN, type Rows } from './rows.js';
import {
  type ColumnValues,
  columnsIn,
  readColumns,
  refuseShard,
  type ShardFile,
} from './shardFile.js';

// Shards that another program wrote, in whatever encoding: slower, by way of arrays of numbers.

/** Reads row groups of any shard. */
export async function decodeAnyRows(
  operation: string,
  files: StoreFiles,
  shard: ShardFile,
  groups: readonly [first: number, last: number],
  columns: Columns,
): Promise<Rows> {
  const { name } = shard;
  const present = columnsIn(shard);
  const wanted = ['position', ...neededColumns(columns, (column) => present.has(column))];
  for (const column of wanted) {
    if (!present.has(column)) refuseShard(operation, name, `no column ${column}`);
  }
  const values = await readColumns(operation, files, shard, groups, wanted);
  const { keys, offsets } = findSequences(operation, name, values);
  const rows = allocateRows(keys, offsets, columns);
  for (const [row, token] of (values.token ?? []).entries()) {
    rows.tokens![row] = idOf(token ?? NO_TOKEN);
  }
  for (const [row, label] of (values.label ?? []).entries()) {
    rows.labels![row] = idOf(label ?? UNLABELED);
  }
  if (rows.targets) copyTargets(operation, name, values, rows.targets, columns.k);
  for (const [dense, width] of Object.entries(columns.dense)) {
    for (const [row, list] of values[dense]!.entries()) {
      const numbers = list as number[] | null;
      if (numbers?.length !== width) {
        refuseShard(operation, name, `${numbers?.length} numbers of ${dense} in row ${row}`);
      }
      rows.dense[dense]!.set(numbers.map(numberOf), row * width);
    }
  }
  return rows;
}

/** NaN for what is no number: null would be 0 in a typed array. */
function numberOf(value: unknown): number {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN;
}

/** An integer of 32 bits; for anything else, one that is neither a token nor a label. */
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
    const indices = (list ?? []) as ArrayLike<number>;
    const logProbabilities = (values.log_probabilities![row] ?? []) as ArrayLike<number>;
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
    targets.logTail[row] = numberOf(values.log_tail![row]);
  }
}

/** Finds the sequences: a row at position 0 starts one. */
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
