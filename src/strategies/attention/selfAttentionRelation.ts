import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { overBatches } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import { checkShape } from '../../core/checks.js';
import { checkInteger } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { selfRelationDivergence } from '../../kernels/pairs/selfAttentionRelation.js';

/** Options of {@link SelfAttentionRelationDistillationStrategy}. */
export interface SelfAttentionRelationDistillationOptions extends StrategyOptions {
  /**
   * Number of relation heads on both sides. It may differ from the attention heads of either side.
   */
  readonly heads: number;
  /**
   * Number of tokens in a sequence, padding included. All rows are one sequence if it is left out.
   */
  readonly positions?: number | undefined;
}

/**
 * Matches how the queries, keys or values of a sequence's tokens relate to one another, by
 * KL(teacher ‖ student).
 *
 * ```math
 * L_i = mean_h(KL(R_(h,i)(t) ‖ R_(h,i)(s)))
 * R_h(z) = softmax((Z_h Z_hᵀ) / √(d))
 * ```
 *
 * Use it between transformers that differ in attention heads or in width.
 *
 * Avoid it for sequences of different lengths in one call.
 *
 * s and t are the student's and the teacher's vectors of one sequence. L_i is the loss of token i,
 * and R_(h,i) its row of R_h. Z_h holds the d columns of relation head h, one row for each token.
 * The softmax is over each row. The loss of a call is the mean over the kept tokens. One strategy
 * matches one kind of vectors. For queries, keys and values together, make a hybrid in which each
 * entry is bound to its layer.
 *
 * - `student`, `teacher`: the vectors of all attention heads side by side, shape [tokens,
 *   heads × d], any finite value. The tokens of a sequence are consecutive rows, and with
 *   `positions` the sequences follow one another. The two sides may differ in d: relation heads
 *   divide a width evenly and need not be the attention heads.
 * - mask: an excluded token (padding) is neither a query nor a key.
 * - labels: only `IGNORE_INDEX` is read, which excludes a token. Temperature and alpha have no
 *   effect.
 *
 * Returns a loss ≥ 0 in nats, 0 at student = teacher. A rotation of the vectors of one head, on
 * either side, does not change it. Where sequences keep different numbers of tokens, each token
 * counts the same, not each sequence.
 *
 * Cost: for each sequence of n tokens, two products of n² × width, and one more for the gradient.
 * Memory for three n × n matrices beside the gradient. A sequence of another length needs a call of
 * its own.
 *
 * Precision: double, except for the last products of a float32 gradient. The gradient is good to
 * some 3e-7 of its terms, and to 2e-6 at worst.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH` for rows that are no multiple of the positions and
 *   columns that are no multiple of the heads; `DTYPE_MISMATCH`, `NOT_FINITE`; `OUT_OF_RANGE` for
 *   `heads` and `positions`
 * @see [Wang et al. 2021](https://arxiv.org/abs/2012.15828), §3.1. "MiniLMv2": relations of
 *   queries, keys and values with 48 or 64 relation heads. As in the paper for whole sequences.
 * @see [Wang et al. 2020](https://arxiv.org/abs/2002.10957), §3.2. "MiniLM": the relation of
 *   values, with the attention heads. As in the paper for whole sequences.
 *
 * @example
 * ```ts
 * import {
 *   HybridDistillationStrategy,
 *   Matrix,
 *   SelfAttentionRelationDistillationStrategy,
 * } from 'knowledge-distillation';
 *
 * const relation = new SelfAttentionRelationDistillationStrategy({ heads: 2, positions: 2 });
 * const hybrid = new HybridDistillationStrategy(
 *   ['queries', 'keys', 'values'].map((layer) => ({ strategy: relation, weight: 1, layer })),
 *   { weights: 'free' },
 * );
 * const vectors = Matrix.fromRows([[1, 0], [0, 1], [2, 1], [1, 1]]); // 2 sequences of 2 tokens
 * const wider = Matrix.fromRows([[1, 0, 0, 1], [0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]]);
 * const { loss, gradients } = hybrid.computeLayerwise(
 *   { queries: vectors, keys: vectors, values: vectors },
 *   { queries: wider, keys: wider, values: wider },
 * );
 * console.log(loss.toFixed(4)); // 0.1796
 * console.log(Object.keys(gradients).join(', ')); // queries, keys, values
 * ```
 */
export class SelfAttentionRelationDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T> {
  readonly heads: number;
  readonly positions: number | undefined;

  constructor(options: SelfAttentionRelationDistillationOptions) {
    super(options, ['heads', 'positions']);
    const { heads, positions } = options ?? {};
    this.heads = checkInteger(this.name, 'heads', heads, 1);
    if (positions !== undefined) checkInteger(this.name, 'positions', positions, 1);
    this.positions = positions;
  }

  override get name(): string {
    return 'SelfAttentionRelationDistillationStrategy';
  }

  protected override validate({ operation, student, teacher }: DistillationBatch<T>): void {
    const { heads, positions = student.rows } = this;
    for (const [side, matrix] of Object.entries({ student, teacher })) {
      const rows = wholeMultiple(student.rows, positions);
      const columns = wholeMultiple(matrix.columns, heads);
      const why = `multiples of ${positions} positions and ${heads} heads`;
      checkShape(operation, side, matrix, [rows, columns], why);
    }
  }

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    const { heads, positions = batch.student.rows } = this;
    const divergence = selfRelationDivergence(heads);
    return overBatches(batch, bySequence(batch.rows, positions), gradient, divergence);
  }
}

/**
 * Returns the largest multiple of `divisor` that is at most `size`, but at least `divisor` itself;
 * 0 for size 0.
 */
function wholeMultiple(size: number, divisor: number): number {
  return size === 0 ? 0 : Math.max(1, Math.floor(size / divisor)) * divisor;
}

/** Groups the kept rows by sequence; sequences without a kept row are left out. */
function bySequence(rows: readonly number[], positions: number): number[][] {
  const sequences = new Map<number, number[]>();
  for (const row of rows) {
    const sequence = Math.floor(row / positions);
    const kept = sequences.get(sequence);
    if (kept) kept.push(row);
    else sequences.set(sequence, [row]);
  }
  return [...sequences.values()];
}
