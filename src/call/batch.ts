import { checkDtype, checkShape } from '../core/checks.js';
import { checkPositive, throwShape, throwType } from '../core/errors.js';
import { classesOf, isClassIndices, keptRows, type Labels, labelRows } from '../core/labels.js';
import { checkMatrix, type Matrix } from '../core/matrix.js';
import { type FloatArray, typeTag } from '../core/numeric.js';
import type { SparseTargets } from '../teachers/sparse.js';
import type { Parameter } from './parameter.js';

/** What a teacher put out: a value for every column or, where the strategy takes them, for the largest alone. */
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

/** @inline Temperature and alpha that were set explicitly, by the strategy or the nearest enclosing hybrid. */
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
}

/** One call as it was made. */
export interface BatchRequest<
  T extends FloatArray,
  Sparse extends SparseTargets<T> = SparseTargets<T>,
> extends Arguments<T, Sparse> {
  /** What the hybrids around the strategy set. */
  readonly inherited: Overrides;
  /** @internal The parameters whose gradients the call computes; of a call for the loss alone, none. */
  readonly learned: readonly Parameter<T>[];
  /** @internal */
  readonly memo: InputsMemo<T>;
}

/** Where strategies of one call that read the same arguments find what the first of them established. */
export interface InputsMemo<T extends FloatArray> {
  checked: CheckedInputs<T> | undefined;
  /** What holds for other arguments with the same labels, mask and number of rows. */
  readonly kept: KeptRows<T> | undefined;
}

/** What is established once for the labels and the mask of a call. */
export interface KeptRows<T extends FloatArray> {
  readonly rows: readonly number[];
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
  /** The rows that take part, ascending. */
  readonly rows: readonly number[];
  /** The teacher where it is sparse. */
  readonly sparse: Sparse | undefined;
  /**
   * The class of each row where labels are class indices or one-hot, for a strategy that `usesLabels`; `UNLABELED` where a row
   * has none.
   */
  readonly classes: Int32Array | undefined;
  /** The labels where they are distributions other than one-hot, for a strategy that `usesLabels`. */
  readonly distributions: Matrix<T> | undefined;
  readonly temperature: number;
  readonly alpha: number;
  /** What a strategy inside this one inherits. */
  readonly inherited: Overrides;
  /** The denominator of a mean over rows: the number of rows kept (of none, 1), or the option of this name. */
  readonly normalizer: number;
  /** A combinator reports its parts here. */
  readonly components: ComponentLoss[];
}

export function isSparse<T extends FloatArray>(
  teacher: TeacherOutput<T>,
): teacher is SparseTargets<T> {
  // By structure, as matrices are; by a method, which the options of one do not have.
  return typeof teacher === 'object' && teacher !== null && 'tailOf' in teacher;
}

/**
 * Checks what every strategy needs of a call, unless another strategy has had it checked; returns what the checks established.
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
  if (kept) return { rows: kept.rows, labels: kept.labels, sparse };
  const rows = keptRows(operation, student.rows, labels, mask);
  return { rows, labels: { isRead: false, classes: undefined, distributions: undefined }, sparse };
}

/** Throws where the teacher is sparse, and the strategy does not take that. */
function checkTakesSparse<T extends FloatArray>(
  operation: string,
  sparse: SparseTargets<T> | undefined,
  takesSparse: boolean,
): void {
  if (!sparse || takesSparse) return;
  const hint = 'this strategy reads every column';
  throwType(operation, 'teacher', 'be a Matrix, not SparseTargets', sparse, hint);
}

/** The labels of the kept rows as classes, or where one of them is no class, as distributions. */
export function readLabels<T extends FloatArray>(
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
