import { IGNORE_INDEX, SUM_TOLERANCE, UNLABELED } from '../core/labels.js';
import type { TeacherStoreDescription } from './description.js';
import type { StoreFiles } from './files.js';
import { allocateRows, type Columns, NO_TOKEN, type Rows } from './rows.js';
import { type ColumnValues, readColumns, refuseShard, type ShardFile } from './shardFile.js';

/** Names of columns that a shard has. */
export function columnsIn({ metadata }: ShardFile): Set<string> {
  const paths = metadata.row_groups[0]?.columns ?? [];
  return new Set(paths.map(({ meta_data }) => meta_data!.path_in_schema[0]!));
}

/** Reads row groups of a shard as whole sequences. */
export async function decodeRows(
  operation: string,
  files: StoreFiles,
  shard: ShardFile,
  groups: readonly [first: number, last: number],
  { description, columns }: { description: TeacherStoreDescription; columns: Columns },
): Promise<Rows> {
  const { name } = shard;
  const present = columnsIn(shard);
  const wanted = ['key', 'position'];
  if (columns.tokens && present.has('token')) wanted.push('token');
  if (columns.labels && present.has('label')) wanted.push('label');
  if (columns.k > 0) wanted.push('indices', 'log_probabilities', 'log_tail');
  wanted.push(...Object.keys(columns.dense));
  for (const column of wanted) {
    if (!present.has(column)) refuseShard(operation, name, `no column ${column}`);
  }
  const values = await readColumns(operation, files, shard, groups, wanted);
  const { keys, offsets } = readKeys(operation, name, values);
  const rows = allocateRows(keys, offsets, columns);
  const fail = (what: string, row: number, value: unknown): never =>
    refuseShard(operation, name, `${what} ${value} in row ${row} of row group ${groups[0]}`);
  const classes = description.columns ?? Infinity;
  const isId = (id: number, largest: number) => Number.isInteger(id) && id >= 0 && id < largest;
  for (const [row, value] of (values.token ?? []).entries()) {
    const token = Number(value ?? NO_TOKEN);
    if (!isId(token, Infinity) && token !== NO_TOKEN) fail('token', row, value);
    rows.tokens![row] = token;
  }
  for (const [row, value] of (values.label ?? []).entries()) {
    const label = Number(value ?? UNLABELED);
    const isLabel = isId(label, classes) || label === UNLABELED || label === IGNORE_INDEX;
    if (!isLabel) fail('label', row, value);
    rows.labels![row] = label;
  }
  if (columns.k > 0) {
    const { k } = columns;
    for (const [row, list] of values.indices!.entries()) {
      const indices = (list ?? []) as number[];
      const logProbabilities = (values.log_probabilities![row] ?? []) as number[];
      if (indices.length !== logProbabilities.length || indices.length > k) {
        fail('number of classes', row, indices.length);
      }
      for (const [i, index] of indices.entries()) {
        if (!isId(Number(index), classes)) fail('class', row, index);
        if (!(logProbabilities[i]! <= SUM_TOLERANCE))
          fail('log-probability', row, logProbabilities[i]);
        rows.targets!.indices[row * k + i] = Number(index);
        rows.targets!.logProbabilities[row * k + i] = logProbabilities[i]!;
      }
      const tail = values.log_tail![row] as number;
      if (!(tail <= SUM_TOLERANCE)) fail('log_tail', row, tail);
      rows.targets!.logTail[row] = tail;
    }
  }
  for (const name in columns.dense) {
    const width = columns.dense[name]!;
    for (const [row, list] of values[name]!.entries()) {
      const numbers = list as number[];
      if (numbers?.length !== width) fail(`length of ${name}`, row, numbers?.length);
      rows.dense[name]!.set(numbers, row * width);
    }
  }
  return rows;
}

/** Finds the sequences: a row at position 0 starts one. */
export function readKeys(
  operation: string,
  name: string,
  { key, position }: ColumnValues,
): { keys: string[]; offsets: Int32Array } {
  const keys: string[] = [];
  const offsets: number[] = [];
  for (let row = 0; row < key!.length; row++) {
    const place = Number(position![row]);
    if (place === 0) {
      keys.push(key![row] as string);
      offsets.push(row);
      continue;
    }
    const follows = row > 0 && key![row] === key![row - 1];
    if (follows && place === row - offsets.at(-1)!) continue;
    refuseShard(
      operation,
      name,
      `key ${JSON.stringify(key![row])} at position ${place} in row ${row}`,
    );
  }
  offsets.push(key!.length);
  return { keys, offsets: Int32Array.from(offsets) };
}
