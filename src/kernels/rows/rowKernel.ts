/** A kernel for a loss of two rows of numbers, and its options. */
export interface RowKernel {
  /** Its name in the binary, without the bits of the number format. */
  readonly name:
    | 'squared'
    | 'absolute'
    | 'huber'
    | 'cosine'
    | 'patient'
    | 'attentionTransfer'
    | 'factorTransfer'
    | 'activationBoundary'
    | 'marginReLU';
  /** Huber's delta, or a margin. */
  readonly option?: number;
  /** Channels of the student's rows, where their maps are compared; 0 or none where the rows are. */
  readonly channels?: number;
  /** Entries that hold this on both sides add nothing. */
  readonly ruledOut?: number;
  /** A parameter for each column. */
  readonly parameters?: ArrayLike<number>;
}
