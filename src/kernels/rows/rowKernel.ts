import type { Binary } from '../../engine/compile.js';

/** WebAssembly kernel for a loss of two rows, with its options. */
export interface RowKernel {
  readonly binary: Binary;
  /** Name of the exports, without the size of the numbers. */
  readonly name: string;
  /** Huber's delta, or a margin. */
  readonly option?: number | undefined;
  /**
   * Number of channels of the student's rows, if the kernel compares attention maps.
   */
  readonly channels?: number | undefined;
  /** Elements that have this value on both sides add 0. */
  readonly ruledOut?: number | undefined;
  /** One parameter for each column. */
  readonly parameters?: ArrayLike<number> | undefined;
}
