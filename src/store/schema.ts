import type { ColumnSource, SchemaElement } from 'hyparquet-writer';
import type { StorePrecision, TeacherStoreDescription } from './description.js';
import type { ShardKinds } from './rows.js';

/** A column of a shard. */
export interface ShardColumn {
  readonly name: string;
  readonly type: 'string' | 'int32' | StorePrecision;
  readonly isList: boolean;
}

/** Returns the columns of a shard, in their order on disk. */
export function shardColumns(
  { k, precision, dense }: TeacherStoreDescription,
  kinds: ShardKinds,
): ShardColumn[] {
  const plain = (name: string, type: ShardColumn['type']) => ({ name, type, isList: false });
  const list = (name: string, type: ShardColumn['type']) => ({ name, type, isList: true });
  const columns = [plain('key', 'string'), plain('position', 'int32')];
  if (kinds.tokens) columns.push(plain('token', 'int32'));
  if (kinds.labels) columns.push(plain('label', 'int32'));
  if (k !== undefined) {
    columns.push(list('indices', 'int32'), list('log_probabilities', precision));
    columns.push(plain('log_tail', 'float32'));
  }
  for (const name in dense) columns.push(list(name, dense[name]!.precision));
  return columns;
}

const ELEMENTS: Readonly<Record<ShardColumn['type'], Omit<SchemaElement, 'name'>>> = {
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  int32: { type: 'INT32' },
  float32: { type: 'FLOAT' },
  float16: { type: 'FLOAT' },
};

/**
 * The encoding of each type. float16 is stored as FLOAT, which every reader of Parquet knows.
 * BYTE_STREAM_SPLIT separates the first, second, third and fourth bytes of all values: the bytes
 * that float16 does not use then compress to almost nothing.
 */
export const ENCODINGS: Readonly<Record<ShardColumn['type'], ColumnSource['encoding']>> = {
  string: 'RLE_DICTIONARY',
  int32: 'DELTA_BINARY_PACKED',
  float32: 'PLAIN',
  float16: 'BYTE_STREAM_SPLIT',
};

/** Returns the columns as elements of a Parquet schema. A list is three nested elements. */
export function schemaElements(columns: readonly ShardColumn[]): SchemaElement[] {
  const schema: SchemaElement[] = [{ name: 'root', num_children: columns.length }];
  for (const { name, type, isList } of columns) {
    const element: SchemaElement = { ...ELEMENTS[type], name, repetition_type: 'REQUIRED' };
    if (!isList) {
      schema.push(element);
      continue;
    }
    schema.push(
      { name, repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST' },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { ...element, name: 'element' },
    );
  }
  return schema;
}
