import { checkDtype, checkShape } from '../core/checks.js';
import { checkPositive, throwShape, throwType } from '../core/errors.js';
import { classesOf, isClassIndices, keptRows, type Labels, labelRows } from '../core/labels.js';
import { checkMatrix, type Matrix } from '../core/matrix.js';
import { type FloatArray, typeTag } from '../core/numeric.js';
import type { SparseTargets } from '../teachers/sparse.js';
import { isSparse } from '../teachers/sparseCheck.js';
import type { Parameter } from './parameter.js';
import { type RowLossSink, readRowWeights, readTemperatures } from './rowOptions.js';

/**
 * What a teacher put out: a value for every column or, where the strategy takes them, for the
 * largest alone.
 */
export type TeacherOutput<T extends FloatArray = Float32Array> = Matrix<T> | SparseTargets<T>;

/** One entry of a hybrid, as it contributed to one loss: `weighted` = `weight` × `loss`. */
export interface ComponentLoss {
  readonly name: string;
  readonly weight: number;
  readonly loss: number;
  readonly weighted: number;
  /** Rows that took part. */
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
  /** The method called, as errors name it. */
  readonly operation: string;
  readonly student: Matrix<T>;
  readonly teacher: Matrix<T> | Sparse;
  readonly labels: Labels<T> | undefined;
  readonly mask: ArrayLike<number> | undefined;
  readonly normalizer: number | undefined;
  readonly rowWeights?: ArrayLike<number> | undefined;
  readonly temperatures?: ArrayLike<number> | undefined;
}

/** One call as it was made. */
export interface BatchRequest<
  T extends FloatArray,
  Sparse extends SparseTargets<T> = SparseTargets<T>,
> extends Arguments<T, Sparse> {
  /** What the hybrids around the strategy set. */
  readonly inherited: Overrides;
  /**
   * @internal The parameters whose gradients the call computes; of a call for the loss alone, none.
   */
  readonly learned: readonly Parameter<T>[];
  /** Where the loss of each row goes, for a loss that is a sum over rows. */
  readonly rowLosses: RowLossSink | undefined;
  /** @internal */
  readonly memo: InputsMemo<T>;
}

/**
 * Where strategies of one call that read the same arguments find what the first of them
 * established.
 */
export interface InputsMemo<T extends FloatArray> {
  checked: CheckedInputs<T> | undefined;
  /** What holds for other arguments with the same labels, mask and number of rows. */
  readonly kept: KeptRows<T> | undefined;
}

/** What is established once for the labels, the mask and the numbers of each row of a call. */
export interface KeptRows<T extends FloatArray> {
  /** The rows that are read: those of weight 0 are not. */
  readonly rows: readonly number[];
  /** How many rows are kept, those of weight 0 among them. */
  readonly count: number;
  readonly rowWeights: Float64Array | undefined;
  readonly temperatures: Float64Array | undefined;
  readonly labels: ReadLabels<T>;
}

/** What is established once for the arguments of a call. */
export interface CheckedInputs<T extends FloatArray> extends KeptRows<T> {
  readonly sparse: SparseTargets<T> | undefined;
}

/** Labels as losses read them: found by {@link readLabels}, at most once for a call. */
export interface ReadLabels<T extends FloatArray> {
  isRead: boolean;
  classes: Int32Array | undefined;
  distributions: Matrix<T> | undefined;
}

/** One call, checked and resolved: what the formula of a strategy reads. */
export interface DistillationBatch<
  T extends FloatArray = Float32Array,
  Sparse extends SparseTargets<T> = never,
> extends BatchRequest<T, Sparse> {
  /** The rows that take part, ascending; without those of weight 0. */
  readonly rows: readonly number[];
  /** The number of kept rows, those of weight 0 among them. */
  readonly count: number;
  /** What the loss of each row counts, a constant; 1 where it is left out. */
  readonly rowWeights: Float64Array | undefined;
  /** The temperature of each row of a response loss, instead of `temperature`; a constant. */
  readonly temperatures: Float64Array | undefined;
  /** The teacher where it is sparse. */
  readonly sparse: Sparse | undefined;
  /**
   * The class of each row where labels are class indices or one-hot, for a strategy that
   * `usesLabels`; `UNLABELED` where a row has none.
   */
  readonly classes: Int32Array | undefined;
  /**
   * The labels where they are distributions other than one-hot, for a strategy that `usesLabels`.
   */
  readonly distributions: Matrix<T> | undefined;
  readonly temperature: number;
  readonly alpha: number;
  /** What a strategy inside this one inherits. */
  readonly inherited: Overrides;
  /**
   * The denominator of a mean over rows: the number of rows kept (of none, 1), or the option of
   * this name.
   */
  readonly normalizer: number;
  /** A combinator reports its parts here. */
  readonly components: ComponentLoss[];
}

/**
 * Checks what every strategy needs of a call, unless another strategy has had it checked; returns
 * what the checks established.
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

export function checkInputs<T extends FloatArray>(
  request: Arguments<T, SparseTargets<T>>,
  takesSparse: boolean,
  kept?: KeptRows<T>,
): CheckedInputs<T> {
  const { operation, student, teacher, labels, mask, normalizer } = request;
  checkMatrix(operation, 'student', student);
  const sparse = isSparse(teacher) ? teacher : undefined;
  if (sparse) {
    checkTakesSparse(operation, sparse, takesSparse);
    checkMatrix(operation, 'teacher', sparse.values);
  } else {
    const expected = takesSparse ? 'be a Matrix or SparseTargets' : 'be a Matrix';
    checkMatrix(operation, 'teacher', teacher as Matrix<T>, expected);
  }
  if (teacher.numeric.dtype !== student.numeric.dtype) {
    const hint = sparse ? `make it of ${student.numeric.dtype} matrices` : undefined;
    checkDtype(operation, 'teacher', teacher, student, hint);
  }
  checkShape(operation, 'teacher', teacher, [student.rows, teacher.columns], "the student's rows");
  if (labels !== undefined) {
    checkLabelType(operation, labels, student);
    const length = labelRows(labels);
    if (length !== student.rows) {
      throwShape(operation, 'labels', [length], [student.rows], 'one for each row');
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

/** Properties of a strategy that its batches need. */
interface BatchReader {
  /** What holds where nobody says otherwise. */
  readonly defaults: { readonly temperature: number; readonly alpha: number };
  readonly usesLabels: boolean;
  readonly takesSparse: boolean;
}

/** The batch of a request, of which the strategy has resolved what it inherits. */
export function batchOf<T extends FloatArray>(
  request: BatchRequest<T>,
  inherited: Overrides,
  { defaults, usesLabels, takesSparse }: BatchReader,
): DistillationBatch<T> {
  const { operation, student, labels, mask, learned, rowLosses } = request;
  const inputs = inputsOf(request, takesSparse);
  const read = labels !== undefined && usesLabels ? readLabels(labels, inputs) : undefined;
  // Written out: on small batches, spreading takes longer than the loss.
  return {
    operation,
    student,
    teacher: request.teacher as Matrix<T>, // or what `takesSparse` lets through
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

/** Throws where the teacher is sparse, and the strategy does not take that. */
function checkTakesSparse<T extends FloatArray>(
  operation: string,
  sparse: SparseTargets<T> | undefined,
  takesSparse: boolean,
): void {
  if (!sparse || takesSparse) return;
  const hint = 'divergences of two distributions take it, such as KL(teacher ‖ student)';
  throwType(operation, 'teacher', 'be a Matrix, not SparseTargets', sparse, hint);
}

/** The labels of the kept rows as classes, or where one of them is no class, as distributions. */
function readLabels<T extends FloatArray>(
  labels: Labels<T>,
  { rows, labels: read }: KeptRows<T>,
): ReadLabels<T> {
  if (read.isRead) return read;
  read.isRead = true;
  read.classes = classesOf(labels, rows);
  if (!read.classes) read.distributions = labels as Matrix<T>; // indices are classes
  return read;
}

/** Throws unless `labels` are class indices, or a matrix in the student's number format. */
export function checkLabelType<T extends FloatArray>(
  operation: string,
  labels: Labels<T>,
  student: Matrix<T>,
): void {
  if (isClassIndices(labels)) return;
  const hint =
    typeTag(labels) === 'Object'
      ? 'options are the fourth argument: pass undefined for labels'
      : 'use Int32Array.from(labels, Number)';
  checkMatrix(operation, 'labels', labels, 'be a Matrix or an Int32Array', hint);
  checkDtype(operation, 'labels', labels, student);
}
