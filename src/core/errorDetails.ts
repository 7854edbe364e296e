/** Machine-readable code of an error. */
export type DistillationErrorCode =
  | 'DAMAGED'
  | 'DTYPE_MISMATCH'
  | 'EMPTY'
  | 'LABEL_REQUIRED'
  | 'LAYER'
  | 'MISMATCH'
  | 'MISPLACED_OPTION'
  | 'MISSING'
  | 'NOT_A_DISTRIBUTION'
  | 'NOT_FINITE'
  | 'OUT_OF_RANGE'
  | 'OVERFLOW'
  | 'OVERLAP'
  | 'PROBABILITIES'
  | 'RULED_OUT'
  | 'SHAPE_MISMATCH'
  | 'TEMPERATURE'
  | 'UNAVAILABLE'
  | 'UNKNOWN_OPTION'
  | 'WEIGHT_SUM'
  | 'WRONG_TYPE';

/** The fields that every error of the library carries. */
export interface ErrorDetails {
  readonly code: DistillationErrorCode;
  /** The constructor or method that was called, e.g. `HybridDistillationStrategy.computeLoss`. */
  readonly operation: string;
  /** The argument or option at fault. */
  readonly argument: string;
  /** The rule that the argument breaks, as the message states it. */
  readonly expected: string;
  /** The value that was passed, as the message shows it. */
  readonly received: string;
  /** Row of the matrix, if one row is at fault. */
  readonly row?: number | undefined;
  /** Column of the matrix, if one element is at fault. */
  readonly column?: number | undefined;
  /** How to correct the call: the end of the message. Left out if there is no hint. */
  readonly hint?: string | undefined;
}
