import { checkDtype, checkSameShape, checkShape } from '../core/checks.js';
import { checkPositive, refuse, throwShape, throwType } from '../core/errors.js';
import { isClassIndices, keptRows, type Labels, labelRows } from '../core/labels.js';
import { checkMatrix, type Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
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

/** @inline Temperature and alpha as far as somebody says them: a strategy, or the nearest hybrid around it that does. */
export interface Said {
  readonly temperature: number | undefined;
  readonly alpha: number | undefined;
}

/** One call as it was made. */
export interface BatchRequest<
  T extends FloatArray,
  Sparse extends SparseTargets<T> = SparseTargets<T>,
> {
  /** The method called, as errors name it. */
  readonly operation: string;
  readonly student: Matrix<T>;
  readonly teacher: Matrix<T> | Sparse;
  readonly labels: Labels<T> | undefined;
  readonly mask: ArrayLike<number> | undefined;
  readonly normalizer: number | undefined;
  /** What the hybrids around the strategy say. */
  readonly said: Said;
}

/** One call, checked and resolved: what the formula of a strategy reads. */
export interface DistillationBatch<
  T extends FloatArray = Float32Array,
  Sparse extends SparseTargets<T> = never,
> extends BatchRequest<T, Sparse> {
  /** The rows that take part, ascending. */
  readonly rows: readonly number[];
  readonly temperature: number;
  readonly alpha: number;
  /** What a strategy inside this one is told. */
  readonly said: Said;
  /** What the sum over rows is divided by. */
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
 * Checks what every strategy needs of a call, and returns the rows that take part.
 *
 * @param takesSparse - whether the teacher may be sparse
 */
export function checkRequest<T extends FloatArray>(
  request: BatchRequest<T>,
  takesSparse: boolean,
): number[] {
  const { operation, student, teacher, labels, mask, normalizer } = request;
  checkMatrix(operation, 'student', student);
  if (!isSparse(teacher)) {
    const expected = takesSparse ? 'be a Matrix or SparseTargets' : 'be a Matrix';
    checkMatrix(operation, 'teacher', teacher, expected);
  } else if (takesSparse) {
    checkMatrix(operation, 'teacher', teacher.values);
  } else {
    const hint = 'this strategy reads every column';
    throwType(operation, 'teacher', 'be a Matrix, not SparseTargets', teacher, hint);
  }
  const dtypeHint = isSparse(teacher) ? `make it of ${student.numeric.dtype} matrices` : undefined;
  checkDtype(operation, 'teacher', teacher, student, dtypeHint);
  const { rows } = student;
  checkShape(operation, 'teacher', teacher, rows, teacher.columns, "the student's rows");
  if (labels !== undefined) {
    checkLabelType(operation, labels, student);
    const length = labelRows(labels);
    if (length !== rows) throwShape(operation, 'labels', [length], [rows], 'one for each row');
  }
  if (normalizer !== undefined) checkPositive(operation, 'normalizer', normalizer);
  return keptRows(operation, rows, labels, mask);
}

/** Throws unless `labels` are class indices, or a matrix in the student's number format. */
export function checkLabelType<T extends FloatArray>(
  operation: string,
  labels: Labels<T>,
  student: Matrix<T>,
): void {
  if (isClassIndices(labels)) return;
  const hint = 'use Int32Array.from(labels)';
  checkMatrix(operation, 'labels', labels, 'be a Matrix or an Int32Array', hint);
  checkDtype(operation, 'labels', labels, student);
}

/** Throws unless `gradient` can take the student's gradient: its shape and format, no memory of an input. */
export function checkTarget<T extends FloatArray>(
  gradient: Matrix<T>,
  { operation, student, teacher, labels, mask }: BatchRequest<T>,
  parameters: readonly Parameter<T>[],
): void {
  checkSameShape(operation, 'gradient', gradient, student);
  const inputs: [string, unknown][] = Object.entries({ student, teacher, labels, mask });
  if (isSparse(teacher)) {
    inputs.push(['teacher', teacher.values], ["the teacher's tail", teacher.logTail]);
    inputs.push(["the teacher's indices", teacher.indices]);
  }
  for (const { name, value, gradient: own } of parameters) {
    inputs.push([name, value], [`the gradient of ${name}`, own]);
  }
  for (const [name, input] of inputs) {
    const memory = input instanceof Object && 'data' in input ? input.data : input;
    if (!ArrayBuffer.isView(memory) || !overlap(gradient.data, memory)) continue;
    refuse('OVERLAP', operation, 'gradient', `share no memory with ${name}`, 'a view on it');
  }
}

function overlap(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return (
    a.buffer === b.buffer &&
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength
  );
}
