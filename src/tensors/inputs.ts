import type { TeacherOutput } from '../call/batch.js';
import { refuse, throwShape } from '../core/errors.js';
import type { Labels } from '../core/labels.js';
import { Matrix } from '../core/matrix.js';
import { isTensor, type Tensor } from './tensor.js';

type Shape = readonly number[];

/** A tensor of a call with its values, which are set when the tensors are read. */
interface TensorRead<T extends Tensor> {
  readonly tensor: T;
  values: ArrayLike<number>;
}

/**
 * The tensors that one call reads. Adding a tensor checks it, and returns a function that returns
 * its values in the form that strategies take. Call these functions only after all tensors were
 * read, which a subclass does at once, synchronously or asynchronously.
 */
export abstract class Inputs<T extends Tensor> {
  readonly operation: string;
  readonly #reads: TensorRead<T>[] = [];

  constructor(operation: string) {
    this.operation = operation;
  }

  /** Throws unless `tensor` is a tensor of one of the types, with values. */
  protected abstract check(argument: string, tensor: T, dtypes: readonly string[]): void;

  /** Returns the expression that casts a tensor, for the hint of a message. */
  protected abstract cast(argument: string, dtype: string): string;

  /** Adds the output of a model, shape [batch, columns]. A higher rank is flattened to rows. */
  output(argument: string, tensor: T): () => Matrix {
    return this.#matrix(argument, tensor, this.#add(argument, tensor, ['float32']));
  }

  /** Adds a teacher; `outputs` are the student's outputs that are compared with it. */
  teacher(
    argument: string,
    teacher: T | TeacherOutput,
    outputs: readonly T[],
  ): () => TeacherOutput {
    if (!isTensor(teacher)) return () => teacher;
    const read = this.output(argument, teacher);
    this.#checkOrder(argument, teacher, outputs, true);
    return read;
  }

  /**
   * Adds labels. A tensor holds class indices if it is int32 and its columns or size differ from
   * all outputs; otherwise it holds distributions.
   */
  labels(labels: T | Labels | undefined, outputs: readonly T[]): () => Labels | undefined {
    if (!isTensor(labels)) return () => labels;
    const read = this.#add('labels', labels, ['int32', 'float32']);
    const isIndices = labels.dtype === 'int32' && !outputs.some((output) => isLike(labels, output));
    if (!isIndices && labels.shape.length < 2) this.#refuseIndices(labels);
    const matrix = isIndices ? undefined : this.#matrix('labels', labels, read);
    this.#checkOrder('labels', labels, outputs, !isIndices);
    return matrix ?? (() => Int32Array.from(read()));
  }

  /** Adds one number for each row: a mask, weights or temperatures. */
  rowInput(
    argument: string,
    values: T | ArrayLike<number>,
    outputs: readonly T[],
  ): () => ArrayLike<number> {
    if (!isTensor(values)) return () => values;
    const read = this.#add(argument, values, ['bool', 'int32', 'float32']);
    this.#checkOrder(argument, values, outputs, false);
    return read;
  }

  /** Adds a tensor without a check. */
  protected add(tensor: T): () => ArrayLike<number> {
    const pending: TensorRead<T> = { tensor, values: [] };
    this.#reads.push(pending);
    return () => pending.values;
  }

  protected readSync(read: (tensor: T) => ArrayLike<number>): void {
    for (const pending of this.#reads) pending.values = read(pending.tensor);
  }

  protected async read(read: (tensor: T) => Promise<ArrayLike<number>>): Promise<void> {
    await Promise.all(
      this.#reads.map(async (pending) => {
        pending.values = await read(pending.tensor);
      }),
    );
  }

  #add(argument: string, tensor: T, dtypes: readonly string[]): () => ArrayLike<number> {
    this.check(argument, tensor, dtypes);
    return this.add(tensor);
  }

  /**
   * Throws if the row dimensions of a tensor are in another order than the output's, such as
   * [length, batch] for [batch, length]: flattened, the rows would be in another order. The rows of
   * a flat tensor are taken to be in order. Dimensions of size 1 do not change the order.
   */
  #checkOrder(argument: string, { shape }: T, outputs: readonly T[], hasColumns: boolean): void {
    const rows = hasColumns ? shape.slice(0, -1) : withoutOnes(shape);
    const columns = hasColumns ? shape.slice(-1) : [];
    for (const output of outputs) {
      const expected = output.shape.slice(0, -1);
      const isFlat = rows.length < 2 || expected.length < 2;
      if (isFlat || sizeOf(rows) !== sizeOf(expected)) continue;
      if (String(withoutOnes(rows)) === String(withoutOnes(expected))) continue;
      const why = `rows as in the student's [${output.shape.join(', ')}]`;
      const flat = [sizeOf(rows), ...columns].join(', ');
      const hint = `transpose it, or reshape it to [${flat}] if its rows are in that order`;
      throwShape(this.operation, argument, shape, [...expected, ...columns], why, hint);
    }
  }

  #refuseIndices({ shape, dtype }: T): never {
    const expected = 'be int32 class indices, or a distribution for each row';
    const received = `${dtype} of shape [${shape.join(', ')}]`;
    const hint = `use ${this.cast('labels', 'int32')}`;
    refuse('DTYPE_MISMATCH', this.operation, 'labels', expected, received, { hint });
  }

  #matrix(argument: string, { shape }: T, read: () => ArrayLike<number>): () => Matrix {
    if (shape.length < 2) {
      throwShape(this.operation, argument, shape, [1, shape[0] ?? 1], 'rank 2 or more');
    }
    if (shape.at(-1) === 0) {
      throwShape(this.operation, argument, shape, [...shape.slice(0, -1), 1], 'a column or more');
    }
    return () => {
      const values = read();
      const data = values instanceof Float32Array ? values : Float32Array.from(values);
      return Matrix.fromTensor({ data, shape });
    };
  }
}

/** Whether labels have the rows and the columns of an output. */
function isLike({ shape }: Tensor, { shape: output }: Tensor): boolean {
  return shape.length > 1 && shape.at(-1) === output.at(-1) && sizeOf(shape) === sizeOf(output);
}

function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Returns the dimensions that determine the order of the elements: all but those of size 1. */
function withoutOnes(shape: Shape): Shape {
  return shape.filter((size) => size !== 1);
}
