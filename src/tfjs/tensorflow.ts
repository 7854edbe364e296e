import type { Tensor as AnyTensor } from '../tensors/tensor.js';

/** The members of a tensor of TensorFlow.js that the library uses. */
export interface Tensor extends AnyTensor {
  readonly isDisposed: boolean;
}

/**
 * The functions of TensorFlow.js that the library uses. They fit any package and version: `T`, the
 * type of its tensors, `S`, of its scalars, and `V`, of its variables, are inferred.
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

/** The members of a trained variable that the library uses. */
export interface Variable extends Tensor {
  readonly name: string;
  assign(value: Tensor): void;
}

/** The functions of TensorFlow.js that {@link distill} uses in addition. */
export interface TrainingTensorFlow<T extends Tensor, S extends T, V extends T>
  extends TensorFlow<T, S, V> {
  add(a: T, b: T): T;
  gather(tensor: T, indices: Int32Array): T;
  variableGrads(
    compute: () => S,
    variables: V[],
  ): { readonly value: S; readonly grads: Record<string, T> };
  /** Makes a model that returns the layers that a strategy reads; part of `@tensorflow/tfjs`. */
  model?(parts: { inputs: unknown; outputs: unknown; name?: string }): LayersModel;
}

/** The members of a `tf.LayersModel` that the library uses. */
export interface LayersModel {
  readonly name: string;
  readonly built: boolean;
  readonly layers: readonly { readonly name: string }[];
  readonly inputs: readonly unknown[];
  readonly inputNames: readonly string[];
  readonly outputs: readonly unknown[];
  /** The calls of the layers within the model. */
  readonly nodesByDepth: Readonly<Record<string, readonly LayerCall[]>>;
  readonly trainableWeights: readonly Weight[];
  readonly nonTrainableWeights: readonly Weight[];
  /** If a callback sets it to true, the training ends after the batch, as in `model.fit`. */
  stopTraining: boolean;
  build(inputShape?: unknown): void;
  apply(inputs: unknown, options: { training: boolean }): unknown;
  /** Returns the penalties of regularizers. */
  calculateLosses(): Tensor[];
}

/** @inline */
export interface LayerCall {
  readonly outboundLayer: unknown;
  readonly outputTensors: readonly unknown[];
}

/** @inline */
export interface Weight {
  read(): Tensor;
}

/** Steps the weights: an optimizer of TensorFlow.js, or one of your own. */
export interface Optimizer<T extends Tensor> {
  /**
   * Takes a step. The weights are in the same order in every step. The `tensor` of a weight that
   * the loss does not depend on is undefined.
   */
  applyGradients(gradients: { name: string; tensor: T }[]): void;
}
