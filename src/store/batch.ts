import { Matrix } from '../core/matrix.js';
import type { SparseTargets } from '../teachers/sparse.js';
import type { TeacherStoreDescription } from './description.js';
import type { BatchPart } from './order.js';
import { type Columns, type Rows, toSparseTargets } from './rows.js';

/** A place in the order of a store: plain JSON. */
export interface BatchPosition {
  /** The seed; null for the stored order. */
  readonly seed: number | null;
  readonly part: BatchPart;
  /** Number of sequences that were given out. */
  readonly sequences: number;
  /** Fingerprint of the list of shards. */
  readonly store: string;
}

/** Options of {@link TeacherStore.batches}. */
export interface BatchOptions {
  /** Most rows of a batch; an integer ≥ the rows of the longest sequence. */
  readonly rows: number;
  /** Shuffles chunks and sequences; an integer. Without it, the stored order. */
  readonly seed?: number | undefined;
  /**
   * Which of several workers reads; each chunk belongs to one of them. A part without a chunk is
   * refused.
   */
  readonly part?: BatchPart | undefined;
  /** Goes on after the batch with this position; seed and part have to be the same. */
  readonly from?: BatchPosition | undefined;
  /** What to read: `tokens`, `labels`, `targets` and names of dense rows; all of it by default. */
  readonly fields?: readonly string[] | undefined;
}

/** Whole sequences, one after the other. */
export interface TeacherBatch {
  readonly keys: readonly string[];
  /** First row of each sequence, and the number of rows at the end. */
  readonly offsets: Int32Array;
  /**
   * The token that the student reads in each row: of a text that was appended as `prompt` and
   * `tokens`, the prompt and then all of the tokens but the last. −1 in a row that is no text.
   */
  readonly tokens: Int32Array | undefined;
  /**
   * The token that each row predicts (what was appended as `tokens`), or its class: what
   * `computeLossAndGradient(logits, targets, labels)` takes.
   */
  readonly labels: Int32Array | undefined;
  /** As many rows; a row that the teacher did not score keeps no class. */
  readonly targets: SparseTargets | undefined;
  readonly dense: Readonly<Record<string, Matrix>>;
  /** Pass it as `from` to go on after this batch. */
  readonly position: BatchPosition;
}

/** Makes a batch of rows. */
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
