import type { ColumnSource } from 'hyparquet-writer';
import type { TeacherStoreDescription } from './description.js';
import { parquetWriter } from './peers.js';
import { kindsOf, type Rows } from './rows.js';
import { ENCODINGS, schemaElements, shardColumns } from './schema.js';
import { CREATOR, sealOf } from './seal.js';

/** Returns the bytes of a shard. Each chunk becomes a row group. */
export async function encodeShard(
  operation: string,
  chunks: readonly Rows[],
  description: TeacherStoreDescription,
): Promise<Uint8Array> {
  const { ByteWriter, ParquetWriter } = await parquetWriter(operation);
  const columns = shardColumns(description, kindsOf(chunks));
  const writer = new ByteWriter();
  const file = new ParquetWriter({
    writer,
    schema: schemaElements(columns),
    createdBy: CREATOR,
  });
  for (const rows of chunks) {
    const columnData = columns.map(({ name, type }): ColumnSource => {
      const data = valuesOf(name, rows, description);
      return { name, data, encoding: ENCODINGS[type]!, statistics: false };
    });
    await file.write({ columnData, rowGroupSize: rows.offsets[rows.keys.length]! });
  }
  const seal = sealOf(description, file, writer.getBytes());
  file.kvMetadata = [{ key: CREATOR, value: JSON.stringify(seal) }];
  await file.finish();
  return writer.getBytes();
}

/** Returns the values of a column. For a list column, they are one array for each row. */
function valuesOf(
  name: string,
  { keys, offsets, tokens, labels, targets, dense }: Rows,
  { dense: widths }: TeacherStoreDescription,
): ArrayLike<unknown> & unknown[] {
  const rows = Array.from({ length: keys.length }, (_, i) => offsets[i + 1]! - offsets[i]!);
  switch (name) {
    case 'key':
      return rows.flatMap((length, i) => Array<string>(length).fill(keys[i]!));
    case 'position':
      return rows.flatMap((length) => Array.from({ length }, (_, row) => row));
    case 'token':
      return Array.from(tokens!);
    case 'label':
      return Array.from(labels!);
    case 'log_tail':
      return Array.from(targets!.logTail);
    case 'indices':
      return listsOf(targets!.indices, (row) => targets!.counts[row]!, targets!.counts.length);
    case 'log_probabilities':
      return listsOf(
        targets!.logProbabilities,
        (row) => targets!.counts[row]!,
        targets!.counts.length,
      );
  }
  const { columns } = widths[name]!;
  return listsOf(dense[name]!, () => columns, dense[name]!.length / columns);
}

/** Returns the leading values of each row. */
function listsOf(
  values: Int32Array | Float32Array,
  countOf: (row: number) => number,
  rows: number,
): number[][] {
  const width = values.length / rows;
  return Array.from({ length: rows }, (_, row) =>
    Array.from(values.subarray(row * width, row * width + countOf(row))),
  );
}
