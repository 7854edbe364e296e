import { checkDtype } from '../core/checks.js';
import { checkPositive, throwShape, throwType } from '../core/errors.js';
import { type HintOf, labelsHint, matrixHint } from '../core/hints.js';
import { classesOf, isClassIndices, keptRows, type Labels, labelRows } from '../core/labels.js';
import { checkMatrix, type Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import type { SparseTargets } from '../teachers/sparse.js';
import { isSparse } from '../teachers/sparseCheck.js';
import type { Parameter } from './parameter.js';
import { type RowLossSink, readRowWeights, readTemperatures } from './rowOptions.js';

/**
 * Output of a teacher: a matrix or, for a strategy that takes them, sparse targets, which hold only
 * the largest values of each row.
 */
export type TeacherOutput<T extends FloatArray = Float32Array> = Matrix<T> | SparseTargets<T>;

/** Contribution of one entry of a hybrid to one loss. */
export interface ComponentLoss {
  /** Name of the entry. */
  readonly name: string;
  /** Weight of the entry, after `weights: 'normalize'`. */
  readonly weight: number;
  /** Loss of the entry, without its weight. */
  readonly loss: number;
  /** `weight × loss`. */
  readonly weighted: number;
  /** Number of rows that took part. */
  readonly count: number;
}

/**
 * @inline Temperature and alpha that were set explicitly, by the strategy or the nearest enclosing
 * hybrid.
 */
export interface Overrides {
  readonly temperature: number | undefined;
  readonly alpha: number | undefined;
}

/** The arguments of a call that every strategy checks in the same way. */
export interface Arguments<T extends FloatArray, Sparse extends SparseTargets<T>> {
  /** Name of the called method in errors. */
  readonly operation: string;
  readonly student: Matrix<T>;
  readonly teacher: Matrix<T> | Sparse;
  readonly labels: Labels<T> | undefined;
  readonly mask: ArrayLike<number> | undefined;
  readonly normalizer: number | undefined;
  readonly rowWeights?: ArrayLike<number> | undefined;
  readonly temperatures?: ArrayLike<number> | undefined;
}

/** Arguments of one call, as the caller passed them. */
export interface BatchRequest<
  T extends FloatArray,
  Sparse extends SparseTargets<T> = SparseTargets<T>,
> extends Arguments<T, Sparse> {
  /** Temperature and alpha that the enclosing hybrids set. */
  readonly inherited: Overrides;
  /**
   * @internal Parameters whose gradients the call computes; none in a call for the loss alone.
   */
  readonly learned: readonly Parameter<T>[];
  /** Sink for the loss of each row, in a call of a loss that is a sum over rows. */
  readonly rowLosses: RowLossSink | undefined;
  /** @internal */
  readonly memo: InputsMemo<T>;
}

/**
 * Results of the checks of a call, which all strategies of the call that read the same arguments
 * share.
 */
export interface InputsMemo<T extends FloatArray> {
  checked: CheckedInputs<T> | undefined;
  /** Results for another pair of matrices with the same labels, mask and number of rows. */
  readonly kept: KeptRows<T> | undefined;
}

/** Result of checking the labels, the mask and the options that hold a number for each row. */
export interface KeptRows<T extends FloatArray> {
  /** Kept rows without the rows of weight 0, ascending: the rows that are read. */
  readonly rows: readonly number[];
  /** Number of kept rows, including the rows of weight 0. */
  readonly count: number;
  readonly rowWeights: Float64Array | undefined;
  readonly temperatures: Float64Array | undefined;
  readonly labels: ReadLabels<T>;
}

/** Result of checking all arguments of a call. */
export interface CheckedInputs<T extends FloatArray> extends KeptRows<T> {
  readonly sparse: SparseTargets<T> | undefined;
}

/** Labels in the form that losses read; {@link readLabels} fills it at most once in a call. */
export interface ReadLabels<T extends FloatArray> {
  isRead: boolean;
  classes: Int32Array | undefined;
  distributions: Matrix<T> | undefined;
}

/** Checked arguments and resolved options of one call: the input of a strategy's `evaluate`. */
export interface DistillationBatch<
  T extends FloatArray = Float32Array,
  Sparse extends SparseTargets<T> = never,
> extends BatchRequest<T, Sparse> {
  /** Kept rows without the rows of weight 0, ascending: the rows that the loss reads. */
  readonly rows: readonly number[];
  /** Number of kept rows, including the rows of weight 0. */
  readonly count: number;
  /** Weight of the loss of each row, constant to the gradient; undefined if every weight is 1. */
  readonly rowWeights: Float64Array | undefined;
  /**
   * Temperature of each row of a response loss, instead of `temperature`; constant to the gradient.
   */
  readonly temperatures: Float64Array | undefined;
  /** The teacher, if it is sparse. */
  readonly sparse: Sparse | undefined;
  /**
   * Class of each row, if the labels are class indices or one-hot and the strategy `usesLabels`;
   * `UNLABELED` for a row without a label.
   */
  readonly classes: Int32Array | undefined;
  /**
   * The labels, if they are distributions other than one-hot and the strategy `usesLabels`.
   */
  readonly distributions: Matrix<T> | undefined;
  /** Resolved temperature. */
  readonly temperature: number;
  /** Resolved alpha. */
  readonly alpha: number;
  /** Temperature and alpha that a strategy inside this one inherits. */
  readonly inherited: Overrides;
  /**
   * Denominator of a mean over rows: the option `normalizer` or, by default, the number of kept
   * rows, at least 1.
   */
  readonly normalizer: number;
  /** List to which a hybrid adds the losses of its entries. */
  readonly components: ComponentLoss[];
}

/**
 * Returns the checked arguments of a call. The check runs once for all strategies that share the
 * arguments.
 *
 * @param takesSparse - whether the teacher may be sparse
 */
export function inputsOf<T extends FloatArray>(
  request: BatchRequest<T>,
  takesSparse: boolean,
): CheckedInputs<T> {
  const { memo } = request;
  if (memo.checked) checkTakesSparse(request.operation, memo.checked.sparse, takesSparse);
  else memo.checked = checkInputs(request, takesSparse, memo.kept);
  return memo.checked;
}

/**
 * Checks the arguments of a call.
 *
 * @param takesSparse - whether the teacher may be sparse
 * @param kept - results for the labels, mask and row options, if they were checked before
 */
export function checkInputs<T extends FloatArray>(
  request: Arguments<T, SparseTargets<T>>,
  takesSparse: boolean,
  kept?: KeptRows<T>,
): CheckedInputs<T> {
  const { operation, student, teacher, labels, mask, normalizer } = request;
  checkMatrix(operation, 'student', student);
  const { numeric } = student;
  const sparse = isSparse(teacher) ? teacher : undefined;
  if (sparse) {
    checkTakesSparse(operation, sparse, takesSparse);
    checkMatrix(operation, 'teacher', sparse.values);
  } else {
    const expected = takesSparse ? 'be a Matrix or SparseTargets' : 'be a Matrix';
    const hintOf: HintOf = (argument, value) => matrixHint(argument, value, numeric);
    checkMatrix(operation, 'teacher', teacher as Matrix<T>, expected, hintOf);
  }
  if (teacher.numeric.dtype !== numeric.dtype) {
    const hint = sparse ? `make it of ${numeric.dtype} matrices` : undefined;
    checkDtype(operation, 'teacher', teacher, student, hint);
  }
  if (labels !== undefined) {
    checkLabelType(operation, labels, student);
    const length = labelRows(labels);
    if (length !== student.rows) {
      const isReply = sparse?.rows === length;
      const hint = isReply
        ? "take the student's rows of the reply: student.gatherRows(studentRows)"
        : labelsHint(labels, student);
      throwShape(operation, 'labels', [length], [student.rows], 'one for each row', hint);
    }
  }
  if (normalizer !== undefined) checkPositive(operation, 'normalizer', normalizer);
  if (kept) return { ...kept, sparse };
  const { rowWeights, temperatures } = request;
  const all = keptRows(operation, student.rows, labels, mask);
  const { rows } = student;
  const weights =
    rowWeights === undefined ? undefined : readRowWeights(operation, rowWeights, rows, all);
  return {
    rows: weights ? all.filter((row) => weights[row] !== 0) : all,
    count: all.length,
    rowWeights: weights,
    temperatures:
      temperatures === undefined ? undefined : readTemperatures(operation, temperatures, rows, all),
    labels: { isRead: false, classes: undefined, distributions: undefined },
    sparse,
  };
}

/** Properties of a strategy that determine its batch. */
interface BatchReader {
  /** Temperature and alpha if neither the strategy nor an enclosing hybrid sets them. */
  readonly defaults: { readonly temperature: number; readonly alpha: number };
  readonly usesLabels: boolean;
  readonly takesSparse: boolean;
}

/**
 * Checks a request and resolves it to a batch.
 *
 * @param inherited - temperature and alpha, as far as the strategy or an enclosing hybrid sets them
 */
export function batchOf<T extends FloatArray>(
  request: BatchRequest<T>,
  inherited: Overrides,
  { defaults, usesLabels, takesSparse }: BatchReader,
): DistillationBatch<T> {
  const { operation, student, labels, mask, learned, rowLosses } = request;
  const inputs = inputsOf(request, takesSparse);
  const read = labels !== undefined && usesLabels ? readLabels(labels, inputs) : undefined;
  // Every property is written out, because spreading takes longer than the loss of a small batch.
  return {
    operation,
    student,
    teacher: request.teacher as Matrix<T>, // or SparseTargets, if `takesSparse`
    sparse: inputs.sparse as undefined,
    labels,
    classes: read?.classes,
    distributions: read?.distributions,
    mask,
    rows: inputs.rows,
    count: inputs.count,
    rowWeights: inputs.rowWeights,
    temperatures: inputs.temperatures,
    rowLosses,
    temperature: inherited.temperature ?? defaults.temperature,
    alpha: inherited.alpha ?? defaults.alpha,
    inherited,
    learned,
    normalizer: request.normalizer ?? Math.max(inputs.count, 1),
    memo: request.memo,
    components: [],
  };
}

/** Throws if the teacher is sparse and the strategy takes no sparse teacher. */
function checkTakesSparse<T extends FloatArray>(
  operation: string,
  sparse: SparseTargets<T> | undefined,
  takesSparse: boolean,
): void {
  if (!sparse || takesSparse) return;
  const hint =
    "pass the teacher's logits of all classes, or call computeLoss of a strategy with the option `tail`";
  throwType(operation, 'teacher', 'be a Matrix', sparse, hint);
}

/** Returns labels as classes, or as distributions if the label of a kept row is not one-hot. */
function readLabels<T extends FloatArray>(
  labels: Labels<T>,
  { rows, labels: read }: KeptRows<T>,
): ReadLabels<T> {
  if (read.isRead) return read;
  read.isRead = true;
  read.classes = classesOf(labels, rows);
  if (!read.classes) read.distributions = labels as Matrix<T>; // class indices are always classes
  return read;
}

/** Throws unless `labels` are class indices, or a matrix in the student's number format. */
export function checkLabelType<T extends FloatArray>(
  operation: string,
  labels: Labels<T>,
  student: Matrix<T>,
): void {
  if (isClassIndices(labels)) return;
  const hintOf: HintOf = (_, value) => labelsHint(value, student);
  checkMatrix(operation, 'labels', labels, 'be a Matrix or an Int32Array', hintOf);
  checkDtype(operation, 'labels', labels, student);
}
