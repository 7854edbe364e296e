import { refuse, throwType } from '../core/errors.js';

/** @inline The members of a tensor of TensorFlow.js or jax-js that the library uses. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  data(): Promise<ArrayLike<number>>;
  dataSync(): ArrayLike<number>;
  dispose(): void;
}

/**
 * Whether a value is a tensor. The test looks at the structure, because a program may hold several
 * copies of a framework. A symbolic tensor has no data and is not one.
 */
export function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'dataSync' in value && 'shape' in value;
}

/** Hint for an array in the place of a tensor; undefined for other values. */
export function arrayHint(value: unknown): string | undefined {
  const isArray = Array.isArray(value) || ArrayBuffer.isView(value);
  return isArray ? 'make a tensor of it' : undefined;
}

/**
 * Throws unless a value is a tensor of one of the dtypes.
 *
 * @param cast - the expression that converts the tensor to the first of the dtypes, for the hint
 */
export function checkType(
  operation: string,
  argument: string,
  tensor: Tensor,
  dtypes: readonly string[],
  cast: string,
): void {
  if (!isTensor(tensor)) throwType(operation, argument, 'be a tensor', tensor, arrayHint(tensor));
  if (dtypes.includes(tensor.dtype)) return;
  const expected = `be ${dtypes.join(', ').replace(/, (\w+)$/, ' or $1')}`;
  const hint = tensor.dtype === 'string' ? undefined : `use ${cast}`;
  refuse('DTYPE_MISMATCH', operation, argument, expected, tensor.dtype, { hint });
}
