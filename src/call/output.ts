// Output buffers of a call.

import { addTo, checkBuffer } from '../core/checks.js';
import { refuse } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import { isSparse } from '../teachers/sparseCheck.js';
import type { BatchRequest, TeacherOutput } from './batch.js';
import { checkRepresentable, GradientSink } from './gradient.js';
import type { EvaluationOptions } from './options.js';
import type { Parameter } from './parameter.js';
import { checkRowLosses } from './rowOptions.js';

/** Holds the output buffer of one gradient: a matrix of the caller, or a new one. */
export class GradientOutput<T extends FloatArray> {
  /** Matrix that the call writes and returns. */
  readonly gradient: Matrix<T>;
  readonly sink: GradientSink<T>;
  /**
   * Scratch matrix of a call with `accumulate`: the gradient of the call and, after {@link finish},
   * its sum with `gradient`.
   */
  readonly #sum: Matrix<T> | undefined;

  constructor(student: Matrix<T>, given: Matrix<T> | undefined, accumulate: boolean) {
    this.gradient = given ?? student.zerosLike();
    this.#sum = given && accumulate ? student.zerosLike() : undefined;
    this.sink = new GradientSink(this.#sum ?? this.gradient, given !== undefined && !this.#sum);
  }

  /** Zeroes unwritten rows and adds the sum; throws if the number format cannot hold an element. */
  finish(operation: string, argument: string): void {
    this.sink.finish();
    if (!this.#sum) return;
    const { data, columns, numeric } = this.#sum;
    if (addTo(data, this.gradient.data)) return;
    const i = data.findIndex((value: number) => !Number.isFinite(value));
    const row = Math.floor(i / columns);
    checkRepresentable(operation, argument, data[i]!, numeric.largest, row, i % columns);
  }

  /** Writes the sum of a call with `accumulate`, after all of the call has succeeded. */
  commit(): void {
    if (this.#sum) this.gradient.data.set(this.#sum.data);
  }
}

/**
 * Matrix that a strategy reads beside the arguments of a call, such as the memory of a contrastive
 * loss.
 */
export interface HeldMatrix<T extends FloatArray = Float32Array> {
  /** Name of the matrix in errors. */
  readonly name: string;
  readonly value: Matrix<T>;
}

/** Output buffer of a call: a matrix, or the losses of rows. */
interface OutputBuffer {
  readonly data: FloatArray;
}

/**
 * Throws unless `gradient` has the student's shape and number format and shares no memory with an
 * input.
 */
export function checkTarget<T extends FloatArray>(
  gradient: Matrix<T>,
  request: BatchRequest<T>,
  parameters: readonly Parameter<T>[],
  held: readonly HeldMatrix<T>[],
): void {
  const { operation, student } = request;
  checkBuffer(operation, 'gradient', gradient, student);
  checkApartFromInputs('gradient', gradient, request);
  checkApartFromHeld(operation, 'gradient', gradient, parameters, held);
}

/** Arguments of a call that are arrays or matrices. */
type CallInputs<T extends FloatArray> = Pick<
  BatchRequest<T>,
  'operation' | 'student' | 'teacher' | 'labels' | 'mask' | 'rowWeights' | 'temperatures'
>;

function checkApartFromInputs<T extends FloatArray>(
  argument: string,
  target: OutputBuffer,
  { operation, student, teacher, ...others }: CallInputs<T>,
): void {
  checkApart(operation, argument, target, student, 'student');
  checkApartFromTeacher(operation, argument, target, teacher, 'teacher');
  checkApartFromRowInputs(operation, argument, target, others);
}

/**
 * Throws if an output buffer shares memory with the labels or an option that has a number for each
 * row.
 */
export function checkApartFromRowInputs<T extends FloatArray>(
  operation: string,
  argument: string,
  target: OutputBuffer,
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
 * Zeroes the buffer of the option `rowLosses`, if it is set; throws unless the buffer has one
 * element for each row and shares no memory with an input.
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

/** Throws if an output buffer shares memory with a teacher. */
export function checkApartFromTeacher<T extends FloatArray>(
  operation: string,
  argument: string,
  target: OutputBuffer,
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

/** Throws if an output buffer shares memory with a parameter or a held matrix of a strategy. */
export function checkApartFromHeld<T extends FloatArray>(
  operation: string,
  argument: string,
  target: OutputBuffer,
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
 * Throws if an output buffer shares memory with an input.
 *
 * @param input - a matrix or a typed array; anything else shares no memory
 */
export function checkApart(
  operation: string,
  argument: string,
  { data }: OutputBuffer,
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
