import type { Tensor as AnyTensor } from '../tensors/tensor.js';

/** What is used of a tensor of TensorFlow.js. */
export interface Tensor extends AnyTensor {
  readonly isDisposed: boolean;
}

/**
 * What is used of TensorFlow.js, of whichever package and version: `T` is its tensor, `S` its
 * scalar, `V` its variable, and are read off the `tf` that is passed.
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

/** What is used of a variable that is trained. */
export interface Variable extends Tensor {
  readonly name: string;
  assign(value: Tensor): void;
}

/** What {@link distill} uses of TensorFlow.js beside what a loss uses. */
export interface TrainingTensorFlow<T extends Tensor, S extends T, V extends T>
  extends TensorFlow<T, S, V> {
  add(a: T, b: T): T;
  gather(tensor: T, indices: Int32Array): T;
  variableGrads(
    compute: () => S,
    variables: V[],
  ): { readonly value: S; readonly grads: Record<string, T> };
  /** Of `@tensorflow/tfjs`, or of its layers: makes a model of the layers that a strategy reads. */
  model?(parts: { inputs: unknown; outputs: unknown; name?: string }): LayersModel;
}

/** What is used of a model of layers, a `tf.LayersModel`. */
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
  /** As in `model.fit`: once it is true, the training ends with the batch. */
  stopTraining: boolean;
  build(inputShape?: unknown): void;
  apply(inputs: unknown, options: { training: boolean }): unknown;
  /** The penalties of regularizers. */
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

/** What steps the weights: an optimiser of TensorFlow.js, or one of your own. */
export interface Optimizer<T extends Tensor> {
  /**
   * Takes a step. The weights are in the same order in every step; one that the loss does not reach
   * comes without a tensor.
   */
  applyGradients(gradients: { name: string; tensor: T }[]): void;
}
