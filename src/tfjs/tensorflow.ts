import type { Tensor as AnyTensor } from '../tensors/tensor.js';

/** What is used of a tensor of TensorFlow.js. */
export interface Tensor extends AnyTensor {
  readonly isDisposed: boolean;
}

/**
 * What is used of TensorFlow.js, of whichever package and version: `T` is its tensor, `S` its scalar, `V` its variable,
 * and are read off the `tf` that is passed.
 */
export interface TensorFlow<T extends Tensor, S extends T, V extends T> {
  tensor(values: Float32Array, shape: number[]): T;
  scalar(value: number): S;
  variable(initialValue: T): V;
  mul(a: T, b: T): T;
  clone(tensor: T): T;
  tidy(compute: () => Record<string, T>): Record<string, T>;
  customGrad<R extends T>(
    compute: (...inputs: (T | SaveTensors<T>)[]) => Differentiable<T, R>,
  ): (...inputs: T[]) => R;
  getBackend(): string;
}

/** @inline Keeps tensors of the forward pass for the backward pass. */
export type SaveTensors<T> = (tensors: T[]) => void;

/** @inline A value with its derivative: `gradFunc` returns one tensor for each input. */
export interface Differentiable<T, S> {
  readonly value: S;
  readonly gradFunc: (upstream: S, saved: T[]) => T[];
}
