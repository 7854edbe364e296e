import type { DistillationBatch } from '../../call/batch.js';
import { checkRuledOut } from '../../call/diagnosis.js';
import type { GradientSink } from '../../call/gradient.js';
import type { StrategyOptions } from '../../call/options.js';
import { meanOverRowsByKernel } from '../../call/rows.js';
import { DistillationStrategyBase } from '../../call/strategy.js';
import { checkChoice } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import { NUMBERS } from '../../engine/binaries/numbers.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import {
  cosineDistance,
  meanSquared,
  probabilityDivergence,
  type RowDistance,
} from '../../kernels/rows/distance.js';
import { checkDistributions } from '../../kernels/rows/distributions.js';
import type { RowKernel } from '../../kernels/rows/rowKernel.js';
import { scoreDistance, scoreDivergence } from '../../kernels/rows/scores.js';

/** @inline */
type Match = 'mse' | 'kl' | 'cosine';
/** @inline */
type Input = 'probabilities' | 'scores';

/** Options of {@link AttentionDistillationStrategy}. */
export interface AttentionDistillationOptions extends StrategyOptions {
  /**
   * How two rows are compared.
   *
   * @defaultValue `'mse'`
   */
  readonly match?: Match | undefined;
  /**
   * Whether the maps hold probabilities (after the softmax over keys) or scores (before it).
   *
   * @defaultValue `'probabilities'`
   */
  readonly input?: Input | undefined;
}

/** For each input and match, makes the distance of two rows with the given number of columns. */
const DISTANCES: Record<Input, Record<Match, (columns: number) => RowDistance>> = {
  probabilities: {
    mse: () => meanSquared,
    kl: () => probabilityDivergence,
    cosine: () => cosineDistance,
  },
  scores: {
    mse: (columns) => scoreDistance(meanSquared, columns),
    kl: scoreDivergence,
    cosine: (columns) => scoreDistance(cosineDistance, columns),
  },
};

/**
 * Matches the attention of each query over the keys by squared difference, KL divergence or cosine.
 *
 * ```math
 * L = mean_j((s_j − t_j)²) for 'mse'
 * L = KL(t ‖ s) for 'kl'
 * L = 1 − cos(s, t) for 'cosine'
 * ```
 *
 * Use it to teach a transformer where to look, if both sides have the same attention heads.
 *
 * Avoid it where the numbers of heads differ, unless `averageHeads` makes one head of them.
 *
 * s and t are the rows of the student and of the teacher. `match` chooses the formula. With
 * `input: 'scores'`, `'kl'` compares the softmaxes of the rows. The loss of a call is the mean over
 * the kept rows.
 *
 * - `student`, `teacher`: attention maps, one row for each (sample, head, query), one column for
 *   each key, the same shape. Probabilities are in [0, 1] and each row sums to 1. Scores are
 *   finite, or −Infinity on both sides for a key that is masked out. Such a key adds 0.
 * - labels: only `IGNORE_INDEX` is read, which excludes a row. Temperature and alpha have no
 *   effect, because scores are scaled already.
 *
 * Returns a loss ≥ 0, and ≤ 2 (to rounding) for `'cosine'`. The loss is 0 at student = teacher. The
 * gradient is with respect to the values that were passed, probabilities or scores.
 *
 * For probabilities, `'kl'` is computed as Σ_j t_j log(t_j / s_j) − t_j + s_j. This equals the
 * divergence, since rows sum to 1. Its derivative 1 − t_j / s_j is 0 at the minimum and gives the
 * same gradient below a softmax. A key with probability 0 on both sides adds 0, with derivative 0.
 *
 * The squared difference of probabilities is small by nature, of the order of 1 / keys². Beside a
 * response loss it needs a large weight; or choose `'kl'`.
 *
 * Cost: one pass. Memory for a few rows beside the gradient.
 *
 * @throws {DistillationError} `SHAPE_MISMATCH`, `DTYPE_MISMATCH`, `NOT_FINITE`;
 *   `NOT_A_DISTRIBUTION` for rows that are no distributions, with `input: 'probabilities'`;
 *   `RULED_OUT` where `'kl'` finds that the student gives a key no probability and the teacher does
 * @see [Jiao et al. 2020](https://arxiv.org/abs/1909.10351), §3.1 equation 7. "TinyBERT":
 *   `input: 'scores'`. As in the paper; the mean is over all keys, masked ones included.
 * @see [Wang et al. 2020](https://arxiv.org/abs/2002.10957), §3.1 equation 6. "MiniLM":
 *   `match: 'kl'`. As in the paper.
 * @reproduces TextBrewer: `match: 'mse'` of probabilities
 * @differs AiDotNet: the gradient of its KL is the gradient of the reverse KL.
 *
 * @example
 * ```ts
 * import { AttentionDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new AttentionDistillationStrategy({ match: 'kl' });
 * const student = Matrix.fromRows([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]); // 2 queries × 3 keys
 * const teacher = Matrix.fromRows([[0.6, 0.3, 0.1], [0.1, 0.8, 0.1]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
 * console.log(loss.toFixed(4)); // 0.0362
 * console.log(gradient.get(0, 2).toFixed(4)); // 0.3000
 * ```
 */
export class AttentionDistillationStrategy<
  T extends FloatArray = Float32Array,
> extends DistillationStrategyBase<T> {
  readonly match: Match;
  readonly input: Input;

  constructor(options: AttentionDistillationOptions = {}) {
    super(options, ['match', 'input']);
    const { match = 'mse', input = 'probabilities' } = options;
    this.match = checkChoice(this.name, 'match', match, ['mse', 'kl', 'cosine']);
    this.input = checkChoice(this.name, 'input', input, ['probabilities', 'scores']);
  }

  override get name(): string {
    return 'AttentionDistillationStrategy';
  }

  override get isSumOverRows(): true {
    return true;
  }

  protected override validate(batch: DistillationBatch<T>): void {
    super.validate(batch);
    if (this.input === 'scores') return;
    const { operation, student, teacher, rows } = batch;
    checkDistributions(operation, 'student', student, rows);
    checkDistributions(operation, 'teacher', teacher, rows);
  }

  protected override explain(batch: DistillationBatch<T>): void {
    const ruledOutBy = this.match === 'kl' ? 'student' : 'either';
    checkRuledOut(batch, this.input === 'scores' ? -Infinity : 0, ruledOutBy);
  }

  protected override evaluate(batch: DistillationBatch<T>, gradient?: GradientSink<T>): number {
    const { student, teacher } = batch;
    const { columns } = student;
    const distance = DISTANCES[this.input][this.match](columns);
    return meanOverRowsByKernel(batch, gradient, this.#kernel(), (s, t, derivative) =>
      distance(student.data, s, teacher.data, t, columns, derivative),
    );
  }

  #kernel(): RowKernel | undefined {
    const { match, input } = this;
    if (match === 'kl') {
      return input === 'scores' ? { binary: RESPONSE, name: 'forward' } : undefined;
    }
    const kernel = { binary: NUMBERS, name: match === 'mse' ? 'squared' : 'cosine' };
    return input === 'scores' ? { ...kernel, ruledOut: -Infinity } : kernel;
  }
}
