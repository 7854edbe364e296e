// The matrices that a call writes.

import { addTo, checkSameShape } from '../core/checks.js';
import { refuse } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import { isSparse } from '../teachers/sparseCheck.js';
import type { BatchRequest, TeacherOutput } from './batch.js';
import { checkRepresentable, GradientSink } from './gradient.js';
import type { EvaluationOptions } from './options.js';
import type { Parameter } from './parameter.js';
import { checkRowLosses } from './rowOptions.js';

/** Where one gradient of a call goes: a matrix of the caller's, or a new one. */
export class GradientOutput<T extends FloatArray> {
  /** What the call writes and returns. */
  readonly gradient: Matrix<T>;
  readonly sink: GradientSink<T>;
  /** The gradient of a call that adds to a matrix, then its sum with that. */
  readonly #sum: Matrix<T> | undefined;

  constructor(student: Matrix<T>, given: Matrix<T> | undefined, accumulate: boolean) {
    this.gradient = given ?? student.zerosLike();
    this.#sum = given && accumulate ? student.zerosLike() : undefined;
    this.sink = new GradientSink(this.#sum ?? this.gradient, given !== undefined && !this.#sum);
  }

  /** Completes the gradient; throws where the format cannot hold a sum. */
  finish(operation: string, argument: string): void {
    this.sink.finish();
    if (!this.#sum) return;
    const { data, columns, numeric } = this.#sum;
    if (addTo(data, this.gradient.data)) return;
    const i = data.findIndex((value: number) => !Number.isFinite(value));
    const row = Math.floor(i / columns);
    checkRepresentable(operation, argument, data[i]!, numeric.largest, row, i % columns);
  }

  /** Once all of a call has succeeded: writes the sum. */
  commit(): void {
    if (this.#sum) this.gradient.data.set(this.#sum.data);
  }
}

/**
 * A matrix that a strategy reads beside the arguments of a call, such as a memory; `name` is what
 * errors call it.
 */
export interface HeldMatrix<T extends FloatArray = Float32Array> {
  readonly name: string;
  readonly value: Matrix<T>;
}

/** What is to be written: a matrix, or numbers of rows. */
interface Target {
  readonly data: FloatArray;
}

/**
 * Throws unless `gradient` can take the student's gradient: its shape and format, no memory of an
 * input.
 */
export function checkTarget<T extends FloatArray>(
  gradient: Matrix<T>,
  request: BatchRequest<T>,
  parameters: readonly Parameter<T>[],
  held: readonly HeldMatrix<T>[],
): void {
  const { operation, student } = request;
  checkSameShape(operation, 'gradient', gradient, student);
  checkApartFromInputs('gradient', gradient, request);
  checkApartFromHeld(operation, 'gradient', gradient, parameters, held);
}

/** The arguments of a call, as far as they have memory. */
type CallInputs<T extends FloatArray> = Pick<
  BatchRequest<T>,
  'operation' | 'student' | 'teacher' | 'labels' | 'mask' | 'rowWeights' | 'temperatures'
>;

function checkApartFromInputs<T extends FloatArray>(
  argument: string,
  target: Target,
  { operation, student, teacher, ...others }: CallInputs<T>,
): void {
  checkApart(operation, argument, target, student, 'student');
  checkApartFromTeacher(operation, argument, target, teacher, 'teacher');
  checkApartFromRowInputs(operation, argument, target, others);
}

/** Throws where a matrix to write shares memory with what a call says of each row. */
export function checkApartFromRowInputs<T extends FloatArray>(
  operation: string,
  argument: string,
  target: Target,
  {
    labels,
    mask,
    rowWeights,
    temperatures,
  }: Pick<CallInputs<T>, 'labels' | 'mask' | 'rowWeights' | 'temperatures'>,
): void {
  checkApart(operation, argument, target, labels, 'labels');
  checkApart(operation, argument, target, mask, 'mask');
  checkApart(operation, argument, target, rowWeights, 'rowWeights');
  checkApart(operation, argument, target, temperatures, 'temperatures');
}

/**
 * Makes the losses of rows 0 where they are asked for; throws unless there is one for each row,
 * apart from all else.
 */
export function openRowLosses<T extends FloatArray>(
  { rowLosses, gradient }: EvaluationOptions<T>,
  request: CallInputs<T>,
  strategy: { parameters(): readonly Parameter<T>[]; heldMatrices(): readonly HeldMatrix<T>[] },
): void {
  if (rowLosses === undefined) return;
  const { operation, student } = request;
  checkRowLosses(operation, 'rowLosses', rowLosses, student.rows);
  const target = { data: rowLosses };
  checkApartFromInputs('rowLosses', target, request);
  checkApart(operation, 'rowLosses', target, gradient, 'gradient');
  const [learned, held] = [strategy.parameters(), strategy.heldMatrices()];
  checkApartFromHeld(operation, 'rowLosses', target, learned, held);
  rowLosses.fill(0);
}

/** Throws where a matrix to write shares memory with a teacher. */
export function checkApartFromTeacher<T extends FloatArray>(
  operation: string,
  argument: string,
  target: Target,
  teacher: TeacherOutput<T>,
  name: string,
): void {
  if (!isSparse(teacher)) {
    checkApart(operation, argument, target, teacher, name);
    return;
  }
  checkApart(operation, argument, target, teacher.values, name);
  checkApart(operation, argument, target, teacher.logTail, `the ${name}'s tail`);
  checkApart(operation, argument, target, teacher.indices, `the ${name}'s indices`);
}

/** Throws where a matrix to write shares memory with what strategies learn or hold. */
export function checkApartFromHeld<T extends FloatArray>(
  operation: string,
  argument: string,
  target: Target,
  parameters: readonly Parameter<T>[],
  held: readonly HeldMatrix<T>[],
): void {
  for (const { name, value, gradient } of parameters) {
    checkApart(operation, argument, target, value, name);
    checkApart(operation, argument, target, gradient, `the gradient of ${name}`);
  }
  for (const { name, value } of held) checkApart(operation, argument, target, value, name);
}

/**
 * Throws where a matrix to write shares memory with an input: a matrix, a typed array, or what has
 * no memory of its own.
 */
export function checkApart(
  operation: string,
  argument: string,
  { data }: Target,
  input: unknown,
  name: string,
): void {
  if (!(input instanceof Object)) return;
  const memory = 'data' in input ? input.data : input;
  if (!ArrayBuffer.isView(memory) || !overlap(data, memory)) return;
  refuse('OVERLAP', operation, argument, `share no memory with ${name}`, 'a view on it');
}

function overlap(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return (
    a.buffer === b.buffer &&
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength
  );
}
