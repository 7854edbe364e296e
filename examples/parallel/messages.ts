import type { TokenEvaluation, TokenStudentSize } from '../shared/tokenStudent.js';

/** Settings with which a worker is started. */
export interface WorkerSettings {
  readonly folder: string;
  readonly size: TokenStudentSize;
  /** Most rows of a part's batch. */
  readonly rows: number;
  readonly seed: number;
  /** The parts of the store that this worker reads, */
  readonly parts: readonly number[];
  /** of this number of parts. */
  readonly count: number;
}

/** A request to a worker: to read its next batches, or to evaluate the student on them. */
export type Request =
  | { readonly kind: 'read' }
  | {
      readonly kind: 'evaluate';
      readonly parameters: readonly Float32Array[];
      /** Labels in the batches of all parts of all workers. */
      readonly normalizer: number;
    };

/** One part's share of the loss and of the gradients. */
export type PartEvaluation = TokenEvaluation;
