import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { overBatches } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import { checkShape } from '../../core/checks.js';
import { checkInteger } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { selfRelationDivergence } from '../../kernels/pairs/selfAttentionRelation.js';

export interface SelfAttentionRelationDistillationOptions extends StrategyOptions {
  /** Relation heads, of both sides; they need not be the attention heads of either. */
  readonly heads: number;
  /** Tokens of a sequence, padding included; all rows are one sequence where it is left out. */
  readonly positions?: number | undefined;
}

/**
 * Matches how the queries, the keys or the values of the tokens of a sequence relate to one
 * another:
 *
 *     loss of a token = mean over heads of KL(R(teacher) ‖ R(student)) of its row of R
 *     R(X) = softmax(X Xᵀ / √d),  X the d columns of one head, one row a token of the sequence
 *
 * and the mean over the tokens kept. One strategy matches one kind of vectors; a hybrid sums
 * several, each bound to its layer.
 *
 * - `student`, `teacher`: the vectors of all attention heads side by side, one row a token, the
 *   tokens of a sequence one after another and, with `positions`, the sequences; shape [tokens,
 *   heads × d], any finite value. The d of the two may differ: relation heads divide a width
 *   evenly, whatever the attention heads were.
 * - mask: a token that is taken out (padding) is neither a query nor a key.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used.
 *
 * Returns a loss ≥ 0 in nats, 0 at student = teacher; a rotation of the vectors of a head, on
 * either side, does not change it. Where sequences keep different numbers of tokens, each token
 * counts the same, not each sequence.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH (rows no multiple of the positions, columns no
 * multiple of the heads), DTYPE_MISMATCH, NOT_FINITE, OUT_OF_RANGE (heads, positions).
 *
 * Cost: for each sequence of n tokens two products, and one for the gradient, of n² × width; beside
 * the gradient, memory for three matrices of n × n. A sequence of other length is a call of its
 * own. It computes in doubles, but for the products that a float32 gradient sums up last: that is
 * good to some 3e-7 of its terms, and to 2e-6 at worst.
 *
 * Wang et al. (2021), "MiniLMv2", §3.1, arXiv:2012.15828: Q-Q, K-K and V-V relations, 48 or 64
 * relation heads. Wang et al. (2020), "MiniLM", §3.2, arXiv:2002.10957: the value relation, with
 * the attention heads. Both as here for whole sequences.
 *
 * @example
 * import { HybridDistillationStrategy, Matrix, SelfAttentionRelationDistillationStrategy } from 'knowledge-distillation';
 *
 * const relation = new SelfAttentionRelationDistillationStrategy({ heads: 2, positions: 2 });
 * const hybrid = new HybridDistillationStrategy(
 *   ['queries', 'keys', 'values'].map((layer) => ({ strategy: relation, weight: 1, layer })),
 *   { weights: 'free' },
 * );
 * const vectors = Matrix.fromRows([[1, 0], [0, 1], [2, 1], [1, 1]]); // two sequences of two tokens
 * const wider = Matrix.fromRows([[1, 0, 0, 1], [0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]]);
 * const { loss, gradients } = hybrid.computeLayerwise(
 *   { queries: vectors, keys: vectors, values: vectors },
 *   { queries: wider, keys: wider, values: wider },
 * );
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
      const rows = wholeMultiple(matrix.rows, positions);
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

/** The largest multiple that is not above the size, or the least; nothing of nothing. */
function wholeMultiple(size: number, of: number): number {
  return size === 0 ? 0 : Math.max(1, Math.floor(size / of)) * of;
}

/** The rows kept of each sequence that keeps any. */
function bySequence(rows: readonly number[], positions: number): number[][] {
  const sequences = new Map<number, number[]>();
  for (const row of rows) {
    const sequence = Math.floor(row / positions);
    const own = sequences.get(sequence);
    if (own) own.push(row);
    else sequences.set(sequence, [row]);
  }
  return [...sequences.values()];
}
