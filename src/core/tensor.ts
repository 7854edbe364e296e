// Reads tensors of inference runtimes, by their structure.

import type { MatrixContent } from './content.js';
import { checkInteger, throwShape, throwType } from './errors.js';
import { decodeHalf } from './half.js';
import { floatsHint, matrixHint } from './hints.js';
import { type FloatArray, type NumericTrait, traitOf, typeTag } from './numeric.js';

/** Tensor of an inference runtime: flat data with dimensions that are named `dims` or `shape`. */
export type TensorLike<T extends FloatArray> = RuntimeTensor & { readonly data: T };

/**
 * Tensor whose TypeScript type does not include the type of its data. onnxruntime and
 * transformers.js declare their outputs like this.
 */
export type RuntimeTensor = {
  readonly data: ArrayLike<unknown>;
  readonly type?: string | undefined;
} & ({ readonly dims: readonly number[] } | { readonly shape: readonly number[] });

/** The rule for the data of a matrix, as messages state it. */
export const FLOATS = 'be a Float32Array or a Float64Array';

/**
 * Reads a tensor as a matrix: a rank above 2 flattens to `[product of the leading dimensions, last
 * dimension]`.
 *
 * @param numeric - if a number format is given, half precision is decoded into a float32 copy; data
 * in float32 or float64 are not converted here
 * @throws {DistillationError} SHAPE_MISMATCH for a rank below 2, and where the data do not fill the
 *   dimensions
 */
export function readTensor(
  operation: string,
  tensor: RuntimeTensor,
  numeric: NumericTrait<FloatArray> | undefined,
): MatrixContent {
  if (typeof tensor !== 'object' || tensor === null) {
    throwType(operation, 'tensor', 'be { data, dims } or { data, shape }', tensor);
  }
  const dims = 'dims' in tensor ? tensor.dims : tensor.shape;
  if (!Array.isArray(dims)) {
    const hint = matrixHint('tensor', tensor);
    throwType(operation, 'tensor', 'have dims or shape, an array of dimensions', dims, hint);
  }
  const data = floatsOf(operation, tensor, numeric);
  if (dims.length < 2) {
    const columns = dims[0] ?? 1;
    const hint = `for a single row, use new Matrix(tensor.data, 1, ${columns})`;
    throwShape(operation, 'tensor', dims, [1, columns], 'rank 2 or more', hint);
  }
  for (const [index, size] of dims.entries()) checkInteger(operation, `dims[${index}]`, size, 0);
  const columns = checkInteger(operation, `dims[${dims.length - 1}]`, dims.at(-1), 1);
  const rows = dims.slice(0, -1).reduce((product, size) => product * size, 1);
  if (data.length !== rows * columns) {
    throwShape(operation, 'tensor.data', [data.length], [rows * columns], 'its dims');
  }
  return { data, rows, columns };
}

/** Returns the data of a tensor as floats; half precision is decoded if `numeric` is given. */
function floatsOf(
  operation: string,
  tensor: RuntimeTensor,
  numeric: NumericTrait<FloatArray> | undefined,
): FloatArray {
  const { data, type } = tensor;
  if (traitOf(data) !== undefined) return data as FloatArray; // traitOf has seen the type
  const tag = typeTag(data);
  const isBits = tag === 'Uint16Array' && type === 'float16';
  const isHalf = isBits || tag === 'Float16Array';
  if (isHalf && numeric !== undefined) {
    return isBits ? decodeHalf(data as Uint16Array) : Float32Array.from(data as ArrayLike<number>);
  }
  const hint = isHalf
    ? 'half precision is decoded into a copy by fromTensor(tensor, float32)'
    : floatsHint(data, type, 'dims' in tensor ? 'dims' : 'shape');
  throwType(operation, 'tensor.data', FLOATS, data, hint);
}
