import { UNLABELED } from '../core/labels.js';
import { Matrix } from '../core/matrix.js';
import { NO_CLASS } from '../teachers/raggedRows.js';
import { SparseTargets } from '../teachers/sparse.js';
import type { TeacherStoreDescription } from './description.js';

/** The token of the rows of a sequence without text. */
export const NO_TOKEN = -1;

/** The classes of each row, padded with −1 to k classes. */
export interface RowTargets {
  /** Shape [rows, k]. */
  readonly indices: Int32Array;
  /** Shape [rows, k]. */
  readonly logProbabilities: Float32Array;
  readonly logTail: Float32Array;
  /** Number of classes of each row. */
  readonly counts: Int32Array;
}

/** The rows of whole sequences, stored as columns. */
export interface Rows {
  /** The key of each sequence. */
  readonly keys: readonly string[];
  /** The first row of each sequence, and the number of all rows as the last element. */
  readonly offsets: Int32Array;
  readonly tokens?: Int32Array | undefined;
  readonly labels?: Int32Array | undefined;
  readonly targets?: RowTargets | undefined;
  /** Shape [rows, columns] each. */
  readonly dense: Readonly<Record<string, Float32Array>>;
}

/** The columns of a shard or a batch. */
export interface Columns {
  readonly tokens: boolean;
  readonly labels: boolean;
  /** Number of classes of a row; 0 for rows without targets. */
  readonly k: number;
  /** Number of columns of the dense rows, by name. */
  readonly dense: Readonly<Record<string, number>>;
}

/** Whether the optional columns of a shard are present. */
export interface ShardKinds {
  readonly tokens: boolean;
  readonly labels: boolean;
}

/** Returns which optional columns are present in any of the parts. */
export function kindsOf(
  parts: readonly { readonly tokens?: unknown; readonly labels?: unknown }[],
): ShardKinds {
  return {
    tokens: parts.some(({ tokens }) => tokens),
    labels: parts.some(({ labels }) => labels),
  };
}

/** One sequence, as an index into rows of several sequences. */
export interface Piece {
  readonly rows: Rows;
  readonly sequence: number;
}

/** Returns the rows that the teacher scored: those that keep a class. */
export function scoredRows({ counts }: RowTargets): number[] {
  return [...counts.keys()].filter((row) => counts[row]! > 0);
}

/** Returns the targets in the form that strategies take. */
export function toSparseTargets(
  { indices, logProbabilities, logTail, counts }: RowTargets,
  { columns, k, temperature }: TeacherStoreDescription,
): SparseTargets {
  return new SparseTargets({
    indices,
    logProbabilities: new Matrix(logProbabilities, counts.length, k!),
    columns: columns!,
    temperature,
    logTail,
  });
}

export function columnsOf(
  { k = 0, dense }: TeacherStoreDescription,
  { tokens, labels }: ShardKinds,
): Columns {
  const widths = Object.entries(dense).map(([name, { columns }]) => [name, columns]);
  return { tokens, labels, k, dense: Object.fromEntries(widths) };
}

/** Returns the number of rows of a sequence. */
export function lengthOf({ rows, sequence }: Piece): number {
  return rows.offsets[sequence + 1]! - rows.offsets[sequence]!;
}

/** Allocates rows without a token, a label or a class. */
export function allocateRows(keys: readonly string[], offsets: Int32Array, columns: Columns): Rows {
  const rows = offsets[keys.length]!;
  const { k } = columns;
  const targets = {
    indices: new Int32Array(rows * k).fill(NO_CLASS),
    logProbabilities: new Float32Array(rows * k).fill(-Infinity),
    logTail: new Float32Array(rows),
    counts: new Int32Array(rows),
  };
  const dense = Object.entries(columns.dense).map(([name, width]) => [
    name,
    new Float32Array(rows * width),
  ]);
  return {
    keys,
    offsets,
    tokens: columns.tokens ? new Int32Array(rows).fill(NO_TOKEN) : undefined,
    labels: columns.labels ? new Int32Array(rows).fill(UNLABELED) : undefined,
    targets: k > 0 ? targets : undefined,
    dense: Object.fromEntries(dense),
  };
}

/** Copies sequences into new arrays, one after the other. */
export function gather(pieces: readonly Piece[], columns: Columns): Rows {
  const offsets = new Int32Array(pieces.length + 1);
  for (const [i, piece] of pieces.entries()) offsets[i + 1] = offsets[i]! + lengthOf(piece);
  const keys = pieces.map(({ rows, sequence }) => rows.keys[sequence]!);
  const gathered = allocateRows(keys, offsets, columns);
  for (const [i, { rows, sequence }] of pieces.entries()) {
    const [from, to] = [rows.offsets[sequence]!, rows.offsets[sequence + 1]!];
    const at = offsets[i]!;
    const copy = <A extends Int32Array | Float32Array>(target?: A, source?: A, width = 1) => {
      if (!target || !source) return;
      (target as Float32Array).set(source.subarray(from * width, to * width), at * width);
    };
    copy(gathered.tokens, rows.tokens);
    copy(gathered.labels, rows.labels);
    copy(gathered.targets?.indices, rows.targets?.indices, columns.k);
    copy(gathered.targets?.logProbabilities, rows.targets?.logProbabilities, columns.k);
    copy(gathered.targets?.logTail, rows.targets?.logTail);
    copy(gathered.targets?.counts, rows.targets?.counts);
    for (const name in gathered.dense) {
      copy(gathered.dense[name], rows.dense[name], columns.dense[name]);
    }
  }
  return gathered;
}
