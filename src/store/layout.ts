import { fingerprint } from './checksum.js';

/** Key under which a shard has the hash of its layout. */
export const LAYOUT_KEY = 'knowledge-distillation-layout';

/** A row group of a footer, as far as it says where which values are. */
export interface GroupLayout {
  readonly num_rows: bigint;
  readonly columns: readonly {
    readonly meta_data?: {
      readonly type: string;
      readonly path_in_schema: readonly string[];
      readonly num_values: bigint;
      readonly total_compressed_size: bigint;
      readonly data_page_offset: bigint;
      readonly dictionary_page_offset?: bigint;
    };
  }[];
}

/**
 * Returns a hash of where the values of a shard are. Pages have checksums, the footer of Parquet has
 * none: with a flipped bit, a column would have another name, and be missed in silence.
 */
export function hashLayout(groups: readonly GroupLayout[]): string {
  const rows = groups.map(({ num_rows, columns }) => [
    num_rows,
    columns.map(({ meta_data: column }) => [
      column?.type,
      column?.path_in_schema,
      column?.num_values,
      column?.total_compressed_size,
      column?.data_page_offset,
      column?.dictionary_page_offset,
    ]),
  ]);
  const text = JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
  return fingerprint(text);
}
