import { checkInputs } from '../call/batch.js';
import { checkRuledOut } from '../call/diagnosis.js';
import { checkClassCount, checkShape } from '../core/checks.js';
import { checkOptions, checkPositive, refuse } from '../core/errors.js';
import { checkClasses, checkLabels, classesOf, hasLabel, type Labels } from '../core/labels.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import { forwardDivergence } from '../kernels/rows/divergences.js';
import { soften } from '../kernels/rows/soften.js';
import { softmax } from '../kernels/rows/softmax.js';
import { largestIndices } from '../kernels/rows/topK.js';

/** Options of {@link compareOutputs}. */
export interface CompareOutputsOptions {
  /**
   * One number for each row: 0 excludes the row, which is then never read.
   *
   * @defaultValue all rows are kept
   */
  readonly mask?: ArrayLike<number> | undefined;
  /**
   * Number k of classes in `topKOverlap`, in [1, columns].
   *
   * @defaultValue 5, or the number of columns if that is smaller
   */
  readonly k?: number | undefined;
  /**
   * Temperature T of the probabilities in `divergence` and `calibrationError`, > 0.
   *
   * @defaultValue 1
   */
  readonly temperature?: number | undefined;
}

/** @inline The same measure for the student and for the teacher. */
export interface BothSides {
  readonly student: number;
  readonly teacher: number;
}

/** Result of {@link compareOutputs}. */
export interface OutputComparison {
  /** Number of kept rows. */
  readonly count: number;
  /** Share of the kept rows in which student and teacher have the same most probable class. */
  readonly agreement: number;
  /** Mean share of the k most probable classes that student and teacher have in common. */
  readonly topKOverlap: number;
  /** Mean of KL(teacher ‖ student) in nats, not multiplied by T². */
  readonly divergence: number;
  /** Number of kept rows with a label. */
  readonly labeledCount: number;
  /**
   * Share of the labelled rows whose most probable class is the label; `undefined` without such
   * rows.
   */
  readonly accuracy: BothSides | undefined;
  /** Expected calibration error over the labelled rows; `undefined` without such rows. */
  readonly calibrationError: BothSides | undefined;
}

/** Number of bins of the confidence: the number that Guo et al. use in §5. */
const BINS = 15;

/**
 * Measures how similar the student's logits are to the teacher's and, with labels, how often each
 * side is right and how well it is calibrated.
 *
 * ```math
 * agreement = mean_i(1 if first(s_i) = first(t_i), 0 otherwise)
 * topKOverlap = mean_i(|top(s_i) ∩ top(t_i)| / k)
 * divergence = mean_i(KL(softmax(t_i / T) ‖ softmax(s_i / T)))
 * accuracy = mean_i(a_i)
 * calibrationError = (Σ_m |Σ_(i in bin m) (a_i − max(softmax(z_i / T)))|) / rows
 * a_i = 1 if first(z_i) = y_i
 * a_i = 0 otherwise
 * ```
 *
 * s_i and t_i are the rows of logits of student and teacher, z_i is a row of either side, first(z)
 * is the class of the largest logit, and top(z) are the classes of the k largest logits. Of equal
 * logits, the one in the lower column counts as larger. There are 15 bins: a row is in bin m if its
 * largest probability is in ((m − 1) / 15, m / 15].
 *
 * Use it on held-out data to see what a training has reached.
 *
 * @param student - logits, shape [rows, classes]. −Infinity rules a class out, which then ranks
 *   last
 * @param teacher - logits of the same shape and dtype
 * @param labels - the class of each row, as an index or one-hot. A row labelled `UNLABELED` does
 * not count in `accuracy` and `calibrationError`; a row labelled `IGNORE_INDEX` is excluded
 * @param options - `mask`, `k` and `temperature`
 * @returns means over the kept rows: shares in [0, 1], and a `divergence` ≥ 0
 * @throws {DistillationError} `EMPTY` if no row is kept, `SHAPE_MISMATCH`, `DTYPE_MISMATCH`,
 * `NOT_FINITE` for NaN and +Infinity, `RULED_OUT` for an infinite divergence and for a row of only
 * −Infinity, `LABEL_REQUIRED` for a label row that is not one-hot, `OUT_OF_RANGE` for a class or an
 * option
 *
 * @remarks Cost: two exponentials for each logit and a selection of k, in JavaScript. To measure in
 * chunks, weight each mean by its count. `calibrationError` cannot be combined in this way.
 * @see [Stanton et al. 2021](https://arxiv.org/abs/2106.05945), "Does Knowledge Distillation Really
 *   Work?". Agreement and divergence are as in the paper.
 * @see [Guo et al. 2017](https://arxiv.org/abs/1706.04599), "On Calibration of Modern Neural
 *   Networks", §2. The calibration error is as in the paper.
 *
 * @example
 * ```ts
 * import { compareOutputs, Matrix } from 'knowledge-distillation';
 *
 * const student = Matrix.fromRows([[2, 0, 1], [0, 3, 1]]);
 * const teacher = Matrix.fromRows([[3, 0, 1], [0, 1, 2]]);
 * const { agreement, accuracy } = compareOutputs(student, teacher, Int32Array.of(0, 1));
 * console.log(agreement, accuracy); // 0.5 { student: 1, teacher: 0.5 }
 * ```
 */
export function compareOutputs<T extends FloatArray>(
  student: Matrix<T>,
  teacher: Matrix<T>,
  labels?: Labels<T>,
  options: CompareOutputsOptions = {},
): OutputComparison {
  const operation = 'compareOutputs';
  checkOptions(operation, 'options', options, ['mask', 'k', 'temperature']);
  const { mask, temperature = 1 } = options;
  checkPositive(operation, 'temperature', temperature);
  const call = { operation, student, teacher, labels, mask, normalizer: undefined };
  const { rows } = checkInputs(call, false);
  const { columns } = student;
  checkShape(operation, 'teacher', teacher, [student.rows, columns]);
  const { k = Math.min(5, columns) } = options;
  checkClassCount(operation, 'k', k, columns);
  const classes = labelClasses(operation, labels, columns, rows);
  const { length: count } = rows;
  if (count === 0) refuse('EMPTY', operation, 'student', 'have a row that is kept', 'none');

  const [s, t] = [new Side(student, k, temperature), new Side(teacher, k, temperature)];
  const slope = new Float64Array(columns); // scratch: the derivative is not used
  let agreement = 0;
  let overlap = 0;
  let divergence = 0;
  let labeledCount = 0;
  for (const row of rows) {
    s.read(row);
    t.read(row);
    const { log: logP, probability: p } = t;
    const { log: logQ, probability: q } = s;
    const loss = forwardDivergence({ logP, p, logQ, q, slope });
    if (!Number.isFinite(loss)) {
      checkRuledOut({ operation, student, teacher, rows: [row] }, -Infinity, 'student');
      const hint = 'make the logits smaller or the temperature higher';
      refuse('OVERFLOW', operation, 'divergence', 'be finite', String(loss), { row, hint });
    }
    divergence += loss;
    const teacherTop = new Set(t.top);
    agreement += Number(s.top[0] === t.top[0]);
    overlap += s.top.filter((index) => teacherTop.has(index)).length / k;
    if (!classes || !hasLabel(classes, row)) continue;
    labeledCount++;
    s.judge(classes[row]!);
    t.judge(classes[row]!);
  }
  const bothSides = (measure: (side: Side<T>) => number): BothSides | undefined =>
    labeledCount === 0
      ? undefined
      : { student: measure(s) / labeledCount, teacher: measure(t) / labeledCount };
  return {
    count,
    agreement: agreement / count,
    topKOverlap: overlap / count,
    divergence: divergence / count,
    labeledCount,
    accuracy: bothSides(({ right }) => right),
    calibrationError: bothSides(({ gaps }) => gaps.reduce((sum, gap) => sum + Math.abs(gap), 0)),
  };
}

/** One side of a comparison: the results for the row that was read last, and sums over rows. */
class Side<T extends FloatArray> {
  /** The classes of the k largest logits of the row, the largest first. */
  readonly top: Int32Array;
  readonly log: Float64Array;
  readonly probability: Float64Array;
  /** Number of rows whose most probable class is the label. */
  right = 0;
  /** For each bin, Σ (1 or 0 for a right or wrong row, minus the confidence of the row). */
  readonly gaps: Float64Array = new Float64Array(BINS);
  readonly #logits: Matrix<T>;
  readonly #temperature: number;
  readonly #row: Float64Array;

  constructor(logits: Matrix<T>, k: number, temperature: number) {
    const { columns } = logits;
    this.#logits = logits;
    this.#temperature = temperature;
    this.#row = new Float64Array(columns);
    this.top = new Int32Array(k);
    this.log = new Float64Array(columns);
    this.probability = new Float64Array(columns);
  }

  read(row: number): void {
    const { data, columns } = this.#logits;
    const offset = row * columns;
    soften(data, offset, 1, this.#row); // division by T could round two logits to the same number
    largestIndices(this.#row, this.top);
    soften(data, offset, this.#temperature, this.#row);
    softmax(this.#row, 0, columns, this.log, this.probability);
  }

  /** Counts the row that was read last as right or wrong. */
  judge(label: number): void {
    const first = this.top[0]!;
    const confidence = this.probability[first]!;
    const isRight = Number(first === label);
    this.right += isRight;
    this.gaps[Math.ceil(confidence * BINS) - 1]! += isRight - confidence;
  }
}

/** Returns the class of each row. Throws unless each kept row has a class or is unlabelled. */
function labelClasses<T extends FloatArray>(
  operation: string,
  labels: Labels<T> | undefined,
  columns: number,
  rows: readonly number[],
): Int32Array | undefined {
  if (labels === undefined) return undefined;
  checkLabels(operation, labels, columns, rows, (matrix) => checkClasses(operation, matrix, rows));
  return classesOf(labels, rows);
}
