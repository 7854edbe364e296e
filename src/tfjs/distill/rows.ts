// The rows of a batch, copied from the values of all samples.

import type { TeacherOutput } from '../../call/batch.js';
import { refuse, throwShape, throwType } from '../../core/errors.js';
import { INDICES, indicesHint } from '../../core/hints.js';
import { checkMatrix, Matrix } from '../../core/matrix.js';
import { typeTag } from '../../core/numeric.js';
import { SparseTargets } from '../../teachers/sparse.js';
import { isSparse } from '../../teachers/sparseCheck.js';
import {
  type ByLayer,
  isForAllLayers,
  type LabelTensor,
  type RowsTensor,
  type TeacherTensor,
} from '../../tensors/evaluation.js';
import { isTensor } from '../../tensors/tensor.js';
import { isHeld } from '../inputs.js';
import type { Tensor } from '../tensorflow.js';
import type { BatchTensors } from './batchTensors.js';

/** A tensor whose first dimension is the samples, or several tensors in a list or by name. */
export type SampleTensors<T extends Tensor> = T | readonly T[] | ByLayer<T>;

/** Outputs of a teacher for all samples, for one layer or by layer. */
export type StoredOutputs<T extends Tensor> = TeacherTensor<T> | ByLayer<TeacherTensor<T>>;

/** Labels of all samples. An array holds one class for each sample. */
export type SampleLabels<T extends Tensor> = LabelTensor<T> | ArrayLike<number>;

/** Returns the rows of a batch. Tensors among them are disposed with the batch. */
export type Take<T extends Tensor, R> = (samples: Int32Array, held: BatchTensors<T>) => R;

/** Gathers the rows of some samples from the values of all samples. */
export class Rows<T extends Tensor> {
  readonly operation: string;
  readonly samples: number;
  readonly #gather: (tensor: T, samples: Int32Array) => T;

  constructor(operation: string, samples: number, gather: (tensor: T, samples: Int32Array) => T) {
    this.operation = operation;
    this.samples = samples;
    this.#gather = gather;
  }

  data<D extends SampleTensors<T>>(argument: string, data: D): Take<T, D> {
    if (isTensor(data)) return this.#tensor(argument, data as T) as Take<T, D & T>;
    const isList = Array.isArray(data);
    const takes = Object.entries(data).map(([name, tensor]) => {
      const place = isList ? `${argument}[${name}]` : `${argument}.${name}`;
      return [name, this.#tensor(place, tensor as T)] as const;
    });
    return (samples, held) => {
      const entries = takes.map(([name, take]) => [name, take(samples, held)] as const);
      const taken = isList ? entries.map(([, tensor]) => tensor) : Object.fromEntries(entries);
      return taken as D;
    };
  }

  teacher(argument: string, teacher: TeacherTensor<T>): Take<T, TeacherTensor<T>> {
    if (isTensor(teacher)) return this.#tensor(argument, teacher as T);
    return isSparse(teacher) ? this.#sparse(argument, teacher) : this.#matrix(argument, teacher);
  }

  labels(argument: string, labels: SampleLabels<T>): Take<T, LabelTensor<T>> {
    if (isTensor(labels)) {
      const { dtype } = labels;
      if (dtype === 'string') {
        const expected = 'be class indices or distributions';
        refuse('DTYPE_MISMATCH', this.operation, argument, expected, dtype, { hint: INDICES });
      }
      return this.#tensor(argument, labels as T);
    }
    if (isMatrix(labels)) return this.#matrix(argument, labels);
    const { operation } = this;
    const expected =
      'be class indices in an array or a tensor, or distributions in a tensor or a matrix';
    const given: unknown = labels;
    if (typeof given !== 'object' || given === null || !('length' in given)) {
      throwType(operation, argument, expected, given);
    }
    const list = labels as ArrayLike<number>; // tensors and matrices have returned above
    this.#checkSamples(
      argument,
      [list.length],
      'for distributions, use a tensor or a matrix of [samples, classes]',
    );
    for (let i = 0; i < list.length; i++) {
      const label: unknown = list[i];
      if (Number.isInteger(label)) continue;
      throwType(
        operation,
        `${argument}[${i}]`,
        'be an integer',
        label,
        labelHint(argument, list, i),
      );
    }
    return (samples) => Int32Array.from(samples, (sample) => list[sample]!);
  }

  mask(
    argument: string,
    mask: RowsTensor<T> | ByLayer<RowsTensor<T>>,
  ): Take<T, RowsTensor<T> | ByLayer<RowsTensor<T>>> {
    if (isForAllLayers(mask)) return this.#oneMask(argument, mask);
    const takes = Object.entries(mask).map(
      ([name, one]) => [name, this.#oneMask(`${argument}.${name}`, one)] as const,
    );
    return (samples, held) =>
      Object.fromEntries(takes.map(([name, take]) => [name, take(samples, held)]));
  }

  #oneMask(argument: string, mask: RowsTensor<T>): Take<T, RowsTensor<T>> {
    if (isTensor(mask)) return this.#tensor(argument, mask as T);
    const list = mask as ArrayLike<number>; // the strategy checks its numbers
    if (typeof list?.length !== 'number') {
      throwType(this.operation, argument, 'hold 0 or 1 for each sample', mask);
    }
    this.#checkSamples(argument, [list.length], 'use a tensor where a sample has several');
    return (samples) => Array.from(samples, (sample) => list[sample]!);
  }

  #tensor(argument: string, tensor: T): Take<T, T> {
    const { operation } = this;
    if (!isTensor(tensor)) throwType(operation, argument, 'be a tensor', tensor);
    if (!isHeld(tensor))
      refuse('UNAVAILABLE', operation, argument, 'hold values', 'a disposed tensor');
    this.#checkSamples(argument, tensor.shape);
    return (samples, held) => held.add(this.#gather(tensor, samples));
  }

  #matrix(argument: string, matrix: Matrix): Take<T, Matrix> {
    checkMatrix(this.operation, argument, matrix);
    const { data, columns } = matrix;
    const blocks = this.#blocksOf(argument, matrix);
    return (samples) => {
      const taken = Matrix.zeros(samples.length * blocks, columns, matrix.numeric);
      copyBlocks(data, samples, blocks * columns, taken.data);
      return taken;
    };
  }

  #sparse(argument: string, targets: SparseTargets): Take<T, SparseTargets> {
    const { indices, kind, columns, temperature, logTail } = targets;
    const blocks = this.#blocksOf(argument, targets);
    const values = this.#matrix(argument, targets.values);
    return (samples, held) => {
      const taken = values(samples, held);
      const classes = new Int32Array(taken.data.length);
      copyBlocks(indices, samples, blocks * taken.columns, classes);
      if (kind === 'logits') return new SparseTargets({ indices: classes, logits: taken, columns });
      const tail = logTail && new Float32Array(taken.rows);
      if (tail) copyBlocks(logTail, samples, blocks, tail);
      return new SparseTargets({
        indices: classes,
        logProbabilities: taken,
        columns,
        temperature,
        logTail: tail,
      });
    };
  }

  /** Returns the number of rows of a sample: 1, or more in a layer with a row for each token. */
  #blocksOf(argument: string, { rows, columns }: { rows: number; columns: number }): number {
    const blocks = rows / this.samples;
    if (blocks >= 1 && Number.isInteger(blocks)) return blocks;
    this.#checkSamples(
      argument,
      [rows, columns],
      'or a multiple, with the rows of each sample together',
    );
    return 1;
  }

  #checkSamples(argument: string, shape: readonly number[], hint?: string): void {
    const { samples } = this;
    if (shape[0] === samples) return;
    const why = `one for each of the ${samples} samples`;
    const expected = shape.length === 1 ? [samples] : [samples, '…'];
    const isTransposed = shape.length === 2 && shape[1] === samples;
    const advice = isTransposed ? 'is it transposed?' : hint;
    throwShape(this.operation, argument, shape, expected, why, advice);
  }
}

/** Hint for a list of labels whose element `i` is no integer. */
function labelHint(argument: string, list: ArrayLike<unknown>, i: number): string | undefined {
  if (Array.isArray(list[i])) return `use Matrix.fromRows(${argument})`;
  if (Array.from(list).includes(null)) return 'use UNLABELED for null';
  return typeof list[i] === 'string' ? (indicesHint(argument, list) ?? INDICES) : undefined;
}

/** Copies the blocks of some samples, one after the other. All blocks have the same size. */
function copyBlocks<A extends Float32Array | Int32Array>(
  values: A,
  samples: Int32Array,
  size: number,
  target: A,
): void {
  samples.forEach((sample, i) => {
    target.set(values.subarray(sample * size, (sample + 1) * size), i * size);
  });
}

/** Whether a value is the outputs of one layer, in any form. */
export function isOneOutput<T extends Tensor>(outputs: unknown): outputs is TeacherTensor<T> {
  return isTensor(outputs) || isMatrix(outputs) || isSparse(outputs as TeacherOutput);
}

/**
 * Whether a value is a matrix. The test looks at the structure, because a program may hold two
 * copies of the library, ESM and CommonJS.
 */
function isMatrix(value: unknown): value is Matrix {
  return has(value, 'numeric') && has(value, 'data');
}

function has(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && key in value;
}

/** Returns the number of samples: the first dimension of the data. */
export function countSamples<T extends Tensor>(
  operation: string,
  argument: string,
  data: SampleTensors<T>,
): number {
  const isSeveral = Array.isArray(data) || (typeTag(data) === 'Object' && !isTensor(data));
  const [first] = isSeveral ? Object.values(data) : [data];
  if (!isTensor(first)) {
    const hint = 'use tf.tensor';
    throwType(operation, argument, 'be a tensor, or tensors in a list or by name', data, hint);
  }
  const [samples = 0] = first.shape;
  if (samples === 0)
    refuse('EMPTY', operation, argument, 'hold samples', `shape [${first.shape.join(', ')}]`);
  return samples;
}
