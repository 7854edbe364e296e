import type { TeacherOutput } from '../batch.js';
import { throwShape } from '../errors.js';
import type { Labels } from '../labels.js';
import { Matrix } from '../matrix.js';
import { isTensor, type Tensor } from './tensor.js';

interface Entry<T extends Tensor> {
  readonly tensor: T;
  values: ArrayLike<number>;
}

/**
 * The tensors of one call. Each is checked as it is added and gives a function that returns what the library takes in its
 * place, to be called once all are read: together, and synchronously or not.
 */
export abstract class Inputs<T extends Tensor> {
  readonly operation: string;
  readonly #entries: Entry<T>[] = [];

  constructor(operation: string) {
    this.operation = operation;
  }

  /** Throws unless `tensor` is a tensor of one of the types, with values. */
  protected abstract check(argument: string, tensor: T, dtypes: readonly string[]): void;

  /** How a tensor is cast, as a message says it. */
  protected abstract cast(argument: string, dtype: string): string;

  /** What a model put out, [batch, columns]; a higher rank flattens. */
  output(argument: string, tensor: T): () => Matrix {
    return this.#matrix(argument, tensor, this.#add(argument, tensor, ['float32']));
  }

  teacher(argument: string, teacher: T | TeacherOutput): () => TeacherOutput {
    return isTensor(teacher) ? this.output(argument, teacher) : () => teacher;
  }

  /**
   * A tensor is one of distributions where it has the shape of an output, or is float32; one of class indices where it is
   * int32 and has another.
   */
  labels(labels: T | Labels | undefined, outputs: readonly T[]): () => Labels | undefined {
    if (!isTensor(labels)) return () => labels;
    const read = this.#add('labels', labels, ['int32', 'float32']);
    const isOutput = outputs.some(({ shape }) => String(shape) === String(labels.shape));
    if (labels.dtype === 'int32' && !isOutput) return () => Int32Array.from(read());
    const hint = `cast class indices: ${this.cast('labels', 'int32')}`;
    return this.#matrix('labels', labels, read, hint);
  }

  mask(argument: string, mask: T | ArrayLike<number>): () => ArrayLike<number> {
    return isTensor(mask) ? this.#add(argument, mask, ['bool', 'int32', 'float32']) : () => mask;
  }

  /** A tensor of the library's own. */
  protected add(tensor: T): () => ArrayLike<number> {
    const entry: Entry<T> = { tensor, values: [] };
    this.#entries.push(entry);
    return () => entry.values;
  }

  protected readSync(read: (tensor: T) => ArrayLike<number>): void {
    for (const entry of this.#entries) entry.values = read(entry.tensor);
  }

  protected async read(read: (tensor: T) => Promise<ArrayLike<number>>): Promise<void> {
    await Promise.all(
      this.#entries.map(async (entry) => {
        entry.values = await read(entry.tensor);
      }),
    );
  }

  #add(argument: string, tensor: T, dtypes: readonly string[]): () => ArrayLike<number> {
    this.check(argument, tensor, dtypes);
    return this.add(tensor);
  }

  #matrix(
    argument: string,
    { shape }: T,
    read: () => ArrayLike<number>,
    hint?: string,
  ): () => Matrix {
    if (shape.length < 2) {
      throwShape(this.operation, argument, shape, [1, shape[0] ?? 1], 'rank 2 or more', hint);
    }
    return () => {
      const values = read();
      const data = values instanceof Float32Array ? values : Float32Array.from(values);
      return Matrix.fromTensor({ data, shape });
    };
  }
}
