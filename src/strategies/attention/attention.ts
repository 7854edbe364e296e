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

export interface AttentionDistillationOptions extends StrategyOptions {
  /** How two rows are compared; `'mse'`. */
  readonly match?: Match | undefined;
  /**
   * Whether the maps hold probabilities (after the softmax over keys) or scores (before it);
   * `'probabilities'`.
   */
  readonly input?: Input | undefined;
}

/** The distance of two rows of a given length, by input and match. */
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
 * Matches the attention maps of two transformers query by query, mean over rows:
 *
 *     'mse'     mean over keys of (student − teacher)²
 *     'kl'      KL(teacher ‖ student); of scores, of their softmaxes
 *     'cosine'  1 − cos(student, teacher)
 *
 * - `student`, `teacher`: attention maps, one row for each (sample, head, query), columns = keys,
 *   same shape. Probabilities are in [0, 1] and sum to 1; scores are any finite value, or −Infinity
 *   for a key that is masked out on both sides: such a key adds 0.
 * - labels: only `IGNORE_INDEX` is read. Temperature and alpha are not used: scores are scaled
 *   already.
 *
 * Returns a loss ≥ 0 (≤ 2 for `'cosine'`, to rounding), 0 at student = teacher. The gradient is
 * with respect to what was passed, probabilities or scores. `'kl'` of probabilities is computed as
 * Σ t log(t/s) − t + s, which is the divergence for rows that sum to 1 and has the derivative 1 −
 * t/s: 0 at the minimum, and the same below a softmax. A key that is 0 on both sides adds 0, with
 * derivative 0.
 *
 * Throws `DistillationError`: SHAPE_MISMATCH, DTYPE_MISMATCH, NOT_FINITE, NOT_A_DISTRIBUTION
 * (probabilities), RULED_OUT (`'kl'`: the student gives a key no probability that the teacher
 * attends to).
 *
 * The squared difference of probabilities is small by nature (of the order of 1/keys²): beside a
 * response loss it wants a large weight, or `'kl'`. Cost: one pass; beside the gradient, memory for
 * a few rows.
 *
 * Jiao et al. (2020), "TinyBERT", §3.1 eq. 7, arXiv:1909.10351: squared difference of scores. Wang
 * et al. (2020), "MiniLM", §3.1 eq. 6, arXiv:2002.10957: KL of probabilities. Both as here; the
 * mean is over all keys, masked ones included.
 *
 * @example
 * import { AttentionDistillationStrategy, Matrix } from 'knowledge-distillation';
 *
 * const strategy = new AttentionDistillationStrategy({ match: 'kl' });
 * const student = Matrix.fromRows([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]);
 * const teacher = Matrix.fromRows([[0.6, 0.3, 0.1], [0.1, 0.8, 0.1]]);
 * const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
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
    const by = this.match === 'kl' ? 'student' : 'either';
    checkRuledOut(batch, this.input === 'scores' ? -Infinity : 0, by);
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
