import { Matrix } from '../core/matrix.js';
import type { SparseTargets } from '../teachers/sparse.js';
import type { TeacherStoreDescription } from './description.js';
import type { BatchPart } from './order.js';
import { type Columns, type Rows, toSparseTargets } from './rows.js';

/** A position in the order of an epoch, as plain JSON. */
export interface BatchPosition {
  /** The seed of the order; null for the stored order. */
  readonly seed: number | null;
  /** The part of the store that is read. */
  readonly part: BatchPart;
  /** Number of sequences that were returned before this position. */
  readonly sequences: number;
  /** Fingerprint of the list of shards, which detects a store that has changed. */
  readonly store: string;
}

/** Options of {@link TeacherStore.batches}. */
export interface BatchOptions {
  /** Largest number of rows of a batch, an integer ≥ the number of rows of the longest sequence. */
  readonly rows: number;
  /**
   * Seed by which chunks and sequences are shuffled, an integer.
   *
   * @defaultValue the stored order
   */
  readonly seed?: number | undefined;
  /**
   * The part of the store that this worker reads. Each chunk belongs to one part. A part without a
   * chunk is refused.
   *
   * @defaultValue the whole store
   */
  readonly part?: BatchPart | undefined;
  /**
   * Position of the last batch before an interruption: the first batch is the one after it. Seed
   * and part must be the same.
   *
   * @defaultValue the start of the epoch
   */
  readonly from?: BatchPosition | undefined;
  /**
   * Columns to read: `tokens`, `labels`, `targets` and names of dense rows.
   *
   * @defaultValue everything that the store holds
   */
  readonly fields?: readonly string[] | undefined;
}

/** A batch of whole sequences, one after the other. */
export interface TeacherBatch {
  /** The key of each sequence. */
  readonly keys: readonly string[];
  /** The first row of each sequence, and the number of all rows as the last element. */
  readonly offsets: Int32Array;
  /**
   * The token that the student reads in each row; −1 in the rows of sequences without text. For a
   * text that was appended as `prompt` and `tokens`, they are the prompt and all tokens but the
   * last.
   */
  readonly tokens: Int32Array | undefined;
  /**
   * The label of each row: the token that the row predicts (appended as `tokens`), or its class, in
   * the form that `computeLossAndGradient(logits, targets, labels)` takes.
   */
  readonly labels: Int32Array | undefined;
  /** The teacher's targets of all rows. A row that the teacher did not score keeps no class. */
  readonly targets: SparseTargets | undefined;
  /** The dense rows by name. */
  readonly dense: Readonly<Record<string, Matrix>>;
  /** Pass this position as `from` to continue after this batch. */
  readonly position: BatchPosition;
}

/** Makes a batch from rows. */
export function toBatch(
  { keys, offsets, tokens, labels, targets, dense }: Rows,
  columns: Columns,
  description: TeacherStoreDescription,
  position: BatchPosition,
): TeacherBatch {
  const rows = offsets[keys.length]!;
  const matrices = Object.entries(dense).map(([name, data]) => [
    name,
    new Matrix(data, rows, columns.dense[name]!),
  ]);
  return {
    keys,
    offsets,
    tokens,
    labels,
    targets: targets && toSparseTargets(targets, description),
    dense: Object.fromEntries(matrices),
    position,
  };
}
