import { NO_CLASS } from '../teachers/raggedRows.js';
import type { TeacherStoreDescription } from './description.js';
import { parquetWriter } from './peers.js';
import type { Rows } from './rows.js';
import { parquetSchema, type ShardColumn, shardColumns } from './schema.js';

/** Key under which a shard has the description of its store. */
const METADATA_KEY = 'knowledge-distillation';

/** Returns the bytes of a shard; each of the chunks becomes a row group. */
export async function encodeShard(
  operation: string,
  chunks: readonly Rows[],
  description: TeacherStoreDescription,
): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await parquetWriter(operation);
  const kinds = {
    tokens: chunks.some(({ tokens }) => tokens !== undefined),
    labels: chunks.some(({ labels }) => labels !== undefined),
  };
  const columns = shardColumns(description, kinds);
  const data = columns.map((column) => ({
    name: column.name,
    data: chunks.flatMap((rows) => valuesOf(column, rows, description)),
  }));
  const buffer = parquetWriteBuffer({
    columnData: data,
    schema: parquetSchema(columns),
    rowGroupSize: chunks.map(({ keys, offsets }) => offsets[keys.length]!),
    kvMetadata: [{ key: METADATA_KEY, value: JSON.stringify(description) }],
    createdBy: METADATA_KEY,
  });
  return new Uint8Array(buffer);
}

/** Sketch: nested arrays, as the package takes them. */
function valuesOf(
  { name }: ShardColumn,
  { keys, offsets, tokens, labels, targets, dense }: Rows,
  { k = 0, dense: widths }: TeacherStoreDescription,
): unknown[] {
  const rows = offsets[keys.length]!;
  const each = <V>(value: (row: number) => V) =>
    Array.from({ length: rows }, (_, row) => value(row));
  if (name === 'key' || name === 'position') {
    return keys.flatMap((key, i) =>
      Array.from({ length: offsets[i + 1]! - offsets[i]! }, (_, j) => (name === 'key' ? key : j)),
    );
  }
  if (name === 'token') return [...tokens!];
  if (name === 'label') return [...labels!];
  if (name === 'log_tail') return [...targets!.logTail];
  if (name === 'indices' || name === 'log_probabilities') {
    return each((row) => {
      const classes = targets!.indices.subarray(row * k, (row + 1) * k);
      const count = classes.indexOf(NO_CLASS) < 0 ? k : classes.indexOf(NO_CLASS);
      if (name === 'indices') return [...classes.subarray(0, count)];
      return [...targets!.logProbabilities.subarray(row * k, row * k + count)];
    });
  }
  const { columns } = widths[name]!;
  return each((row) => [...dense[name]!.subarray(row * columns, (row + 1) * columns)]);
}
