import type { TokenEvaluation, TokenStudentSize } from '../shared/tokenStudent.js';

/** Settings of a worker at its start. */
export interface WorkerSettings {
  readonly folder: string;
  readonly size: TokenStudentSize;
  /** Maximum number of rows of a part's batch. */
  readonly rows: number;
  readonly seed: number;
  /** Indices of the parts of the store that this worker reads. */
  readonly parts: readonly number[];
  /** Number of parts of the store. */
  readonly count: number;
}

/** A request to a worker: read the next batches, or evaluate the student on them. */
export type Request =
  | { readonly kind: 'read' }
  | {
      readonly kind: 'evaluate';
      readonly parameters: readonly Float32Array[];
      /** Number of labels in the batches of all parts of all workers. */
      readonly normalizer: number;
    };

/** The contribution of one part to the loss and to the gradients. */
export type PartEvaluation = TokenEvaluation;
