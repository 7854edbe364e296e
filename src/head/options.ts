// The types of the arguments and of the result of computeThroughHead.

import type { ComponentLoss } from '../call/batch.js';
import type { EvaluationOptions } from '../call/options.js';
import type { DistillationStrategyBase } from '../call/strategy.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import type { SparseTargets } from '../teachers/sparse.js';

/**
 * A strategy that {@link computeThroughHead} takes: its loss is a sum over rows for all of its
 * options. A strategy of your own declares it by `get isSumOverRows(): true { return true; }`.
 * Every {@link HybridDistillationStrategy} has this type, even if one of its entries is not a sum
 * over rows: the call checks each entry and refuses such a hybrid.
 */
export type RowwiseStrategy<
  T extends FloatArray = Float32Array,
  Sparse extends SparseTargets<T> = never,
> = DistillationStrategyBase<T, Sparse> & { readonly isSumOverRows: true };

/** The gradients of a loss by the hidden states and by the parameters of the head. */
export interface HeadGradients<T extends FloatArray = Float32Array> {
  /** d loss / d hidden, shape [rows, width]. The gradient of an excluded row is 0. */
  readonly hidden: Matrix<T>;
  /** d loss / d weight, shape [width, columns]. */
  readonly weight: Matrix<T>;
  /** d loss / d bias, shape [1, columns]; only if the head has a bias. */
  readonly bias?: Matrix<T> | undefined;
}

/**
 * Options of {@link computeThroughHead}: the row options of a call, the size of a chunk, and output
 * buffers.
 */
export interface ThroughHeadOptions<T extends FloatArray = Float32Array>
  extends Omit<EvaluationOptions<T>, 'gradient' | 'accumulate'> {
  /**
   * Number of rows whose logits are in memory at a time, ≥ 1. Larger chunks are faster and take
   * more memory.
   *
   * @defaultValue the number of rows whose float32 logits take 14 MiB, at least 96: 112 rows for
   *   32,000 columns, 96 rows for 150,000
   */
  readonly chunkRows?: number | undefined;
  /**
   * Output buffers for the gradients; a new matrix is allocated for each one that is left out. All
   * arguments are checked before a buffer is written. If the loss or a gradient then turns out not
   * to be finite, the call throws, and the buffers hold unspecified numbers. If `weight` is in the
   * arena of the student's weight, it is computed on the threads of the arena.
   */
  readonly gradients?: Partial<HeadGradients<T>> | undefined;
  /**
   * Whether to add to the given `gradients`, and to the gradients of learnable parameters, instead
   * of overwriting them. To sum over several batches, pass buffers for weight and bias only. The
   * sums are written only if the call succeeds, at the cost of a scratch buffer for each gradient.
   *
   * @defaultValue false
   */
  readonly accumulate?: boolean | undefined;
}

/** Result of {@link computeThroughHead}. */
export interface ThroughHeadResult<T extends FloatArray = Float32Array> {
  /** The loss. */
  readonly loss: number;
  /** The gradients, in the dtype of the student. */
  readonly gradients: HeadGradients<T>;
  /** Number of kept rows. */
  readonly count: number;
  /** Losses of the entries of a hybrid; their `weighted` losses sum to `loss`. */
  readonly components?: readonly ComponentLoss[] | undefined;
}
