import { refuse } from '../core/errors.js';
import { Inputs } from '../tensors/inputs.js';
import { checkType, isTensor } from '../tensors/tensor.js';
import type { Tensor } from './tensorflow.js';

/** The tensors of one call, of TensorFlow.js. */
export class TensorFlowInputs extends Inputs<Tensor> {
  /** A learned matrix, whose tensor is the library's own. */
  variable(tensor: Tensor): () => ArrayLike<number> {
    checkHeld(this.operation, 'variables', tensor, 'use a new loss');
    return this.add(tensor);
  }

  /** Blocks until all are here. */
  readAllSync(backend: string): void {
    try {
      this.readSync((tensor) => tensor.dataSync());
    } catch (error) {
      const received = `'${backend}', which says: ${error instanceof Error ? error.message : error}`;
      const hint = 'use distillationLossAsync';
      const expected = 'read synchronously';
      refuse('UNAVAILABLE', this.operation, 'the backend', expected, received, { hint });
    }
  }

  async readAll(): Promise<void> {
    await this.read((tensor) => tensor.data());
  }

  protected override check(argument: string, tensor: Tensor, dtypes: readonly string[]): void {
    checkTensor(this.operation, argument, tensor, dtypes);
  }

  protected override cast(argument: string, dtype: string): string {
    return cast(argument, dtype);
  }
}

/** Throws unless `tensor` is a tensor of one of the types that has not been disposed. */
export function checkTensor(
  operation: string,
  argument: string,
  tensor: Tensor,
  dtypes: readonly string[] = ['float32'],
): void {
  checkHeld(operation, argument, tensor, 'return it from tf.tidy, or tf.keep it');
  checkType(operation, argument, tensor, dtypes, cast(argument, dtypes[0]!));
}

/** Whether it is a tensor with values; any other value passes through until somebody reads it. */
export function isHeld(value: unknown): value is Tensor {
  return isTensor(value) && !(value as Tensor).isDisposed;
}

function checkHeld(operation: string, argument: string, tensor: Tensor, hint: string): void {
  if (!isTensor(tensor) || !tensor.isDisposed) return;
  refuse('UNAVAILABLE', operation, argument, 'hold values', 'a disposed tensor', { hint });
}

function cast(argument: string, dtype: string): string {
  return `tf.cast(${argument}, '${dtype}')`;
}
