import type { TeacherOutput } from '../batch.js';
import { refuse, throwShape, throwType } from '../errors.js';
import type { Labels } from '../labels.js';
import { Matrix } from '../matrix.js';
import { isTensor, type Tensor, type TensorValues } from './tensorflow.js';

/**
 * The tensors of one call. Each is checked as it is added and gives a function that returns what the library takes in its
 * place, to be called once all are read: together, and synchronously or not.
 */
export class Inputs {
  readonly #operation: string;
  readonly #values = new Map<Tensor, TensorValues | undefined>();

  constructor(operation: string) {
    this.#operation = operation;
  }

  /** What a model put out, [batch, columns]; a higher rank flattens. */
  output(argument: string, tensor: Tensor): () => Matrix {
    this.#add(argument, tensor, ['float32']);
    return this.#matrix(argument, tensor);
  }

  teacher(argument: string, teacher: Tensor | TeacherOutput): () => TeacherOutput {
    return isTensor(teacher) ? this.output(argument, teacher) : () => teacher;
  }

  /**
   * A tensor is one of distributions where it has the shape of an output, or is float32; one of class indices where it is
   * int32 and has another.
   */
  labels(
    labels: Tensor | Labels | undefined,
    outputs: readonly Tensor[],
  ): () => Labels | undefined {
    if (!isTensor(labels)) return () => labels;
    this.#add('labels', labels, ['int32', 'float32']);
    const isOutput = outputs.some(({ shape }) => String(shape) === String(labels.shape));
    if (labels.dtype === 'int32' && !isOutput) return () => Int32Array.from(this.#read(labels));
    return this.#matrix('labels', labels, "cast class indices: tf.cast(labels, 'int32')");
  }

  mask(argument: string, mask: Tensor | ArrayLike<number>): () => ArrayLike<number> {
    if (!isTensor(mask)) return () => mask;
    this.#add(argument, mask, ['bool', 'int32', 'float32']);
    return () => this.#read(mask);
  }

  /** A learned matrix, whose tensor is the library's own. */
  variable(tensor: Tensor): () => TensorValues {
    this.#values.set(tensor, undefined);
    return () => this.#read(tensor);
  }

  /** Blocks until all are here. */
  readSync(backend: string): void {
    try {
      for (const tensor of this.#values.keys()) this.#values.set(tensor, tensor.dataSync());
    } catch (error) {
      const received = `'${backend}', which says: ${error instanceof Error ? error.message : error}`;
      const hint = 'use distillationLossAsync';
      const expected = 'read synchronously';
      refuse('UNAVAILABLE', this.#operation, 'the backend', expected, received, undefined, hint);
    }
  }

  async read(): Promise<void> {
    const read = async (tensor: Tensor) => this.#values.set(tensor, await tensor.data());
    await Promise.all([...this.#values.keys()].map(read));
  }

  #add(argument: string, tensor: Tensor, dtypes: readonly string[]): void {
    checkTensor(this.#operation, argument, tensor, dtypes);
    this.#values.set(tensor, undefined);
  }

  #matrix(argument: string, tensor: Tensor, hint?: string): () => Matrix {
    const { shape } = tensor;
    if (shape.length < 2) {
      const expected = [1, shape[0] ?? 1];
      throwShape(this.#operation, argument, shape, expected, 'rank 2 or more', hint);
    }
    return () => {
      const data = this.#read(tensor);
      return Matrix.fromTensor({
        data: data instanceof Float32Array ? data : Float32Array.from(data),
        shape,
      });
    };
  }

  #read(tensor: Tensor): TensorValues {
    return this.#values.get(tensor)!;
  }
}

/** Throws unless `tensor` is a tensor of one of the types that has not been disposed. */
export function checkTensor(
  operation: string,
  argument: string,
  tensor: Tensor,
  dtypes: readonly string[] = ['float32'],
): void {
  if (!isTensor(tensor)) {
    throwType(operation, argument, 'be a tensor', tensor);
  }
  if (tensor.isDisposed) {
    const hint = 'return it from tf.tidy, or tf.keep it';
    refuse('UNAVAILABLE', operation, argument, 'hold values', 'a disposed tensor', undefined, hint);
  }
  if (!dtypes.includes(tensor.dtype)) {
    const hint = `use tf.cast(${argument}, '${dtypes[0]}')`;
    const expected = `be ${dtypes.join(', ').replace(/, (\w+)$/, ' or $1')}`;
    refuse('DTYPE_MISMATCH', operation, argument, expected, tensor.dtype, undefined, hint);
  }
}
