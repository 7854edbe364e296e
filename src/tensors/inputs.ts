import type { TeacherOutput } from '../call/batch.js';
import { throwShape } from '../core/errors.js';
import type { Labels } from '../core/labels.js';
import { Matrix } from '../core/matrix.js';
import { isTensor, type Tensor } from './tensor.js';

type Shape = readonly number[];

interface Entry<T extends Tensor> {
  readonly tensor: T;
  values: ArrayLike<number>;
}

/**
 * The tensors of one call. Each is checked as it is added and gives a function that returns what
 * the library takes in its place, to be called once all are read: together, and synchronously or
 * not.
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

  /** `outputs` are what it is compared with. */
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
   * A tensor is one of distributions where it has the columns and size of an output, or is float32;
   * one of class indices where it is int32 and has not.
   */
  labels(labels: T | Labels | undefined, outputs: readonly T[]): () => Labels | undefined {
    if (!isTensor(labels)) return () => labels;
    const read = this.#add('labels', labels, ['int32', 'float32']);
    const isIndices = labels.dtype === 'int32' && !outputs.some((output) => isLike(labels, output));
    const hint = `cast class indices: ${this.cast('labels', 'int32')}`;
    const matrix = isIndices ? undefined : this.#matrix('labels', labels, read, hint);
    this.#checkOrder('labels', labels, outputs, !isIndices);
    return matrix ?? (() => Int32Array.from(read()));
  }

  /** A number for each row: a mask, weights or temperatures. */
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

  /**
   * Throws where a tensor has the rows of an output in other dimensions, [length, batch] for
   * [batch, length]: flattened, they would be in another order. A flat tensor is taken to be in
   * order, and a dimension of 1 changes none.
   */
  #checkOrder(argument: string, { shape }: T, outputs: readonly T[], hasColumns: boolean): void {
    const rows = hasColumns ? shape.slice(0, -1) : wide(shape);
    const columns = hasColumns ? shape.slice(-1) : [];
    for (const output of outputs) {
      const expected = output.shape.slice(0, -1);
      const isFlat = rows.length < 2 || expected.length < 2;
      if (isFlat || sizeOf(rows) !== sizeOf(expected)) continue;
      if (String(wide(rows)) === String(wide(expected))) continue;
      const why = `rows as in the student's [${output.shape.join(', ')}]`;
      const flat = [sizeOf(rows), ...columns].join(', ');
      const hint = `transpose it, or reshape it to [${flat}] if its rows are in that order`;
      throwShape(this.operation, argument, shape, [...expected, ...columns], why, hint);
    }
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

/** Whether there is a row of this many columns for each row of the output. */
function isLike({ shape }: Tensor, { shape: output }: Tensor): boolean {
  return shape.length > 1 && shape.at(-1) === output.at(-1) && sizeOf(shape) === sizeOf(output);
}

function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The dimensions that say in which order entries come. */
function wide(shape: Shape): Shape {
  return shape.filter((size) => size !== 1);
}
