// Hints for values of the wrong type. Following a hint on the value that raised it leads to a
// working call.

import { traitOf, typeTag } from './numeric.js';

/** Hint for converting unsupported data of a tensor to floats. */
export function floatsHint(data: unknown, type: string | undefined): string | undefined {
  if (typeof data === 'function') {
    return 'call it first: { data: await tensor.data(), shape: tensor.shape }';
  }
  if (!ArrayBuffer.isView(data)) return undefined;
  const tag = typeTag(data);
  const isUntold = tag === 'Uint16Array' && type === undefined;
  const half = isUntold ? "; bits of half precision need type: 'float16'" : '';
  return `convert it first: Float32Array.from(data${tag.startsWith('Big') ? ', Number' : ''})${half}`;
}

/** Hint for making a matrix of an array, a typed array or a tensor; undefined for anything else. */
export function matrixHint(argument: string, value: unknown): string | undefined {
  if (Array.isArray(value) && value.length > 0) {
    return `use Matrix.fromRows(${typeof value[0] === 'number' ? `[${argument}]` : argument})`;
  }
  if (traitOf(value) !== undefined) return `use new Matrix(${argument}, rows, columns)`;
  if (typeof value !== 'object' || value === null || !('data' in value)) return undefined;
  if (typeof value.data === 'function') {
    return 'use knowledge-distillation/tfjs for tensors of TensorFlow.js, /jax for arrays of jax-js';
  }
  const isTensor = 'dims' in value || 'shape' in value;
  return isTensor ? `use Matrix.fromTensor(${argument})` : undefined;
}
