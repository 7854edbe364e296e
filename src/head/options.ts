// What the caller of computeThroughHead passes and gets back.

import type { ComponentLoss } from '../call/batch.js';
import type { EvaluationOptions } from '../call/options.js';
import type { DistillationStrategyBase } from '../call/strategy.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import type { SparseTargets } from '../teachers/sparse.js';

/**
 * A strategy that {@link computeThroughHead} takes by its type: every exported strategy whose
 * `isSumOverRows` is `true` whatever its options are. A strategy of your own says
 * `get isSumOverRows(): true { return true; }`. Every {@link HybridDistillationStrategy} has this
 * type, even with a strategy in it that is no sum over rows: the call looks at each and refuses it.
 */
export type RowwiseStrategy<
  T extends FloatArray = Float32Array,
  Sparse extends SparseTargets<T> = never,
> = DistillationStrategyBase<T, Sparse> & { readonly isSumOverRows: true };

/** The derivatives of the loss by the hidden states and the head that made the logits. */
export interface HeadGradients<T extends FloatArray = Float32Array> {
  /** d loss / d hidden, shape [rows, width]. Rows that are excluded have gradient 0. */
  readonly hidden: Matrix<T>;
  /** d loss / d weight, shape [width, columns]. */
  readonly weight: Matrix<T>;
  /** d loss / d bias, shape [1, columns]; there if the head has a bias. */
  readonly bias?: Matrix<T> | undefined;
}

/**
 * Options of {@link computeThroughHead}: those of a call that make sense row by row, and the size
 * of a chunk.
 */
export interface ThroughHeadOptions<T extends FloatArray = Float32Array>
  extends Omit<EvaluationOptions<T>, 'gradient' | 'accumulate'> {
  /**
   * Number of rows whose logits exist at a time, ≥ 1. Larger chunks are faster, and take more
   * memory. By default, the rows that have 14 MiB of float32 logits, and 96 at least: 112 rows of
   * 32,000 columns, 96 of 150,000.
   */
  readonly chunkRows?: number | undefined;
  /**
   * Written instead of new matrices; each of them may be left out. Arguments are checked before
   * they are written; where the numbers then turn out to be unusable (NaN, overflow), the call
   * throws and they hold unspecified numbers. A `weight` of the arena that holds the student's
   * weight is computed on the threads of the arena.
   */
  readonly gradients?: Partial<HeadGradients<T>> | undefined;
  /**
   * Add to those `gradients` that are given, and to the gradients of learnable parameters, instead
   * of overwriting them; false. Give the gradients of weight and bias alone to sum them over
   * several batches. The sums are written only if the call succeeds, at the cost of a scratch
   * matrix for each.
   */
  readonly accumulate?: boolean | undefined;
}

/** What {@link computeThroughHead} returns. */
export interface ThroughHeadResult<T extends FloatArray = Float32Array> {
  readonly loss: number;
  readonly gradients: HeadGradients<T>;
  /** Rows that took part. */
  readonly count: number;
  /** The parts of a hybrid's loss; they sum to `loss`. */
  readonly components?: readonly ComponentLoss[];
}
