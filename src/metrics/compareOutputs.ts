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
  /** One entry for each row: 0 excludes the row. It is never read. */
  readonly mask?: ArrayLike<number> | undefined;
  /** Number of classes in `topKOverlap`, in [1, columns]; 5, or all of fewer columns. */
  readonly k?: number | undefined;
  /** Temperature of the probabilities in `divergence` and `calibrationError`, > 0; 1. */
  readonly temperature?: number | undefined;
}

/** @inline A number for the student, and the same for the teacher. */
export interface BothSides {
  readonly student: number;
  readonly teacher: number;
}

/** What {@link compareOutputs} measures. */
export interface OutputComparison {
  /** Number of kept rows. */
  readonly count: number;
  /** Share of the kept rows in which both sides have the same likeliest class. */
  readonly agreement: number;
  /** Mean share of the k likeliest classes of one side that are among those of the other. */
  readonly topKOverlap: number;
  /** Mean KL(teacher ‖ student), in nats, not multiplied by T². */
  readonly divergence: number;
  /** Number of kept rows with a label. */
  readonly labeledCount: number;
  /**
   * Share of the labelled rows whose likeliest class is the label; `undefined` without such rows.
   */
  readonly accuracy: BothSides | undefined;
  /** Expected calibration error over the labelled rows; `undefined` without such rows. */
  readonly calibrationError: BothSides | undefined;
}

/** Bins of the confidence, as Guo et al. have them in §5. */
const BINS = 15;

/**
 * Measures how far a student's logits are like its teacher's, and with labels, how often and how
 * confidently each of them is right. Use it on held-out data, to see what a training has reached.
 *
 *     agreement         mean of [first(s) = first(t)], first(z) the class of the largest logit
 *     topKOverlap       mean of |top(s) ∩ top(t)| / k, top(z) the classes of the k largest logits
 *     divergence        mean of Σ p (log p − log q), p = softmax(t / T), q = softmax(s / T)
 *     accuracy          mean of [first(z) = label]
 *     calibrationError  Σ over bins of |Σ over their rows of ([first(z) = label] − max softmax(z / T))| / rows
 *
 * A row belongs to the m-th of 15 bins if its largest probability is in ((m − 1) / 15, m / 15]. Of
 * equal logits, the one in the lower column counts as the larger.
 *
 * @param student - logits, shape [rows, classes]. −Infinity rules a class out: it comes last
 * @param teacher - logits of the same shape and number format
 * @param labels - the class of each row, as an index or one-hot. A row of `UNLABELED` is left out
 * of `accuracy` and `calibrationError`, a row of `IGNORE_INDEX` out of everything
 * @returns shares in [0, 1]; `divergence` ≥ 0
 * @throws {DistillationError} EMPTY if no row is kept, SHAPE_MISMATCH, DTYPE_MISMATCH, NOT_FINITE
 * for NaN and +Infinity, RULED_OUT where the divergence is infinite and for a row of only
 * −Infinity, LABEL_REQUIRED for a label row that is not one-hot, OUT_OF_RANGE for a class or an
 * option
 *
 * @remarks Cost: two exponentials a logit and a selection of k, in JavaScript. To measure in
 * chunks, weight each mean by its `count`; of `calibrationError` there is no such mean.
 *
 * Stanton et al. (2021), "Does Knowledge Distillation Really Work?", arXiv:2106.05945, measure
 * agreement and divergence. Guo et al. (2017), "On Calibration of Modern Neural Networks", §2,
 * arXiv:1706.04599, define the calibration error.
 *
 * @example
 * import { compareOutputs, Matrix } from 'knowledge-distillation';
 *
 * const student = Matrix.fromRows([[2, 0, 1], [0, 3, 1]]);
 * const teacher = Matrix.fromRows([[3, 0, 1], [0, 1, 2]]);
 * const { agreement, accuracy } = compareOutputs(student, teacher, Int32Array.of(0, 1));
 * console.log(agreement, accuracy); // 0.5 { student: 1, teacher: 0.5 }
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
  const slope = new Float64Array(columns); // of no use here
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
    const likeliest = new Set(t.top);
    agreement += Number(s.top[0] === t.top[0]);
    overlap += s.top.filter((index) => likeliest.has(index)).length / k;
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

/** One side of a comparison, and what is known of one of its rows at a time. */
class Side<T extends FloatArray> {
  /** The classes of the k largest logits of the row, the largest first. */
  readonly top: Int32Array;
  readonly log: Float64Array;
  readonly probability: Float64Array;
  /** How many rows were right. */
  right = 0;
  /** For each bin, the sum of 1 for a row that was right, less the confidence of the row. */
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
    soften(data, offset, 1, this.#row); // unsoftened: rounding may make two logits equal
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

/** The class of each row; throws unless each kept row has one or is unlabelled. */
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
