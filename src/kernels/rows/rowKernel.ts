import type { Binary } from '../../engine/compile.js';

/** A kernel for a loss of two rows, and its options. */
export interface RowKernel {
  readonly binary: Binary;
  /** The name of its exports, without the size of the numbers. */
  readonly name: string;
  /** Huber's delta, or a margin. */
  readonly option?: number;
  /**
   * Channels of the student's rows, where their maps are compared; 0 or none where the rows are.
   */
  readonly channels?: number;
  /** Entries that hold this on both sides add nothing. */
  readonly ruledOut?: number;
  /** A parameter for each column. */
  readonly parameters?: ArrayLike<number>;
}
