import type { ColumnMetaData, FileMetaData } from 'hyparquet';
import { fingerprint, fingerprintOf } from './checksum.js';
import type { TeacherStoreDescription } from './description.js';

/** The creator in the footer of a shard, and the key of the seal in the metadata of the footer. */
export const CREATOR = 'knowledge-distillation';

/** Metadata of a shard of this library, by which damage is detected when bytes are read. */
export interface Seal {
  /** The store that the shard belongs to. */
  readonly store: TeacherStoreDescription;
  /** Fingerprint of the description of rows and columns in the footer. */
  readonly layout: string;
  /** Fingerprints of the bytes of the columns, row group after row group. */
  readonly columns: readonly string[];
}

/** The part of a footer that describes where and how the columns are stored. */
type Layout = Pick<FileMetaData, 'schema' | 'row_groups'>;

/** Returns the seal of the columns that were written. */
export function sealOf(store: TeacherStoreDescription, layout: Layout, bytes: Uint8Array): Seal {
  const columns = columnsIn(layout).map((column) => {
    const { start, end } = placeOf(column);
    return fingerprint(bytes.subarray(start, end));
  });
  return { store, layout: fingerprintOfLayout(layout), columns };
}

/** Returns the seal in a footer; undefined for a shard of another program. */
export function readSeal({ created_by, key_value_metadata }: FileMetaData): Seal | undefined {
  if (created_by !== CREATOR) return undefined;
  const text = key_value_metadata?.find(({ key }) => key === CREATOR)?.value;
  return JSON.parse(text ?? '') as Seal;
}

/** Returns the fingerprint of a layout. */
export function fingerprintOfLayout({ schema, row_groups }: Layout): string {
  const elements = schema.map(({ name, type, repetition_type, num_children, converted_type }) => [
    ...[name, type, repetition_type, num_children, converted_type],
  ]);
  const groups = row_groups.map(({ num_rows, columns }) => [
    Number(num_rows),
    columns.map(({ meta_data }) => {
      const { type, path_in_schema, codec, num_values } = meta_data!;
      return [type, path_in_schema, codec, Number(num_values), placeOf(meta_data!)];
    }),
  ]);
  return fingerprintOf([elements, groups]);
}

/** Returns the columns of all row groups, in their order. */
export function columnsIn({ row_groups }: Layout): ColumnMetaData[] {
  return row_groups.flatMap(({ columns }) => columns.map(({ meta_data }) => meta_data!));
}

/** Returns where the bytes of a column are. */
export function placeOf(column: ColumnMetaData): { start: number; end: number } {
  const start = Number(column.dictionary_page_offset ?? column.data_page_offset);
  return { start, end: start + Number(column.total_compressed_size) };
}
