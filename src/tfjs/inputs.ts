import { refuse } from '../core/errors.js';
import { Inputs } from '../tensors/inputs.js';
import { checkType, isTensor } from '../tensors/tensor.js';
import type { Tensor } from './tensorflow.js';

/** The tensors of TensorFlow.js that one call reads. */
export class TensorFlowInputs extends Inputs<Tensor> {
  /** Adds a variable that holds a parameter of the strategy. */
  variable(tensor: Tensor): () => ArrayLike<number> {
    checkHeld(this.operation, 'variables', tensor, 'use a new loss');
    return this.add(tensor);
  }

  /** Reads all tensors synchronously. */
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

/** Throws unless a value is a tensor of one of the dtypes that is not disposed. */
export function checkTensor(
  operation: string,
  argument: string,
  tensor: Tensor,
  dtypes: readonly string[] = ['float32'],
): void {
  checkHeld(operation, argument, tensor, 'return it from tf.tidy, or tf.keep it');
  checkType(operation, argument, tensor, dtypes, cast(argument, dtypes[0]!));
}

/**
 * Whether a value is a tensor that is not disposed. Other values are refused where they are read.
 */
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
