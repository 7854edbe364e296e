import type { IDistillationStrategy } from '../call/options.js';
import { throwType } from '../core/errors.js';
import type { HybridDistillationStrategy } from '../strategies/hybrid/hybrid.js';
import type { ByLayer, Call, LayerwiseCall, Rest } from '../tensors/evaluation.js';
import { Bridge, type LossState } from './bridge.js';
import type { Tensor, TensorFlow } from './tensorflow.js';

/** A loss of two tensors; the student's is made by the function that is passed. */
export interface AsyncDistillationLoss<T extends Tensor, S extends T, V extends T>
  extends LossState<V> {
  (forward: () => T, ...rest: Rest<Call<T>>): Promise<() => S>;
}

/** The loss of a hybrid, also of tensors by layer. */
export interface AsyncLayerwiseDistillationLoss<T extends Tensor, S extends T, V extends T>
  extends AsyncDistillationLoss<T, S, V> {
  (forward: () => ByLayer<T>, ...rest: Rest<LayerwiseCall<T>>): Promise<() => S>;
}

/**
 * {@link distillationLoss} without a synchronous read, for where the thread must not wait (WebGL)
 * and for backends that have none, or none to rely on: WebGPU reads through a canvas, slowly, and
 * zeros where that has no graphics card. The student runs, its outputs are awaited, the strategy
 * computes loss and gradient, and what the promise gives runs the student again to take that
 * gradient back through it.
 *
 * Its arguments are those of {@link distillationLoss} but for the first:
 *
 * - forward: a function that returns the student's output, or its outputs by layer. It is called
 *   twice and has to return the same: a dropout that draws anew would be given the gradient of
 *   another draw. What it makes on the way is disposed.
 *
 * Returns a promise of `() => scalar`, for `optimizer.minimize` and `tf.variableGrads`. It holds
 * for the weights of the moment: for one step.
 *
 * The price is a second forward pass.
 *
 * @example
 * import * as tf from '@tensorflow/tfjs';
 * import { ResponseDistillationStrategy } from 'knowledge-distillation';
 * import { distillationLossAsync } from 'knowledge-distillation/tfjs';
 *
 * const loss = distillationLossAsync(tf, new ResponseDistillationStrategy({ temperature: 4 }));
 * const weights = tf.variable(tf.zeros([2, 3]));
 * const inputs = tf.tensor2d([[1, 0], [0, 1]]);
 * const teacher = tf.tensor2d([[3, 1, 0], [0, 2, 1]]);
 * tf.train.sgd(0.5).minimize(await loss(() => tf.matMul(inputs, weights), teacher));
 */
export function distillationLossAsync<T extends Tensor, S extends T, V extends T>(
  tf: TensorFlow<T, S, V>,
  strategy: HybridDistillationStrategy,
): AsyncLayerwiseDistillationLoss<T, S, V>;
export function distillationLossAsync<T extends Tensor, S extends T, V extends T>(
  tf: TensorFlow<T, S, V>,
  strategy: IDistillationStrategy,
): AsyncDistillationLoss<T, S, V>;
export function distillationLossAsync<T extends Tensor, S extends T, V extends T>(
  tf: TensorFlow<T, S, V>,
  strategy: IDistillationStrategy,
): AsyncLayerwiseDistillationLoss<T, S, V> {
  const bridge = new Bridge('distillationLossAsync', tf, strategy);
  const { operation } = bridge;
  const compute = async (
    forward: () => T | ByLayer<T>,
    ...rest: Rest<Call<T>> | Rest<LayerwiseCall<T>>
  ): Promise<() => S> => {
    if (typeof forward !== 'function') {
      throwType(operation, 'forward', 'be a function that returns the output', forward);
    }
    const { answer, cost } = await bridge.rehearse(forward, ...rest);
    loss.components = answer.components;
    return cost;
  };
  const loss = Object.assign(compute, bridge.state());
  return loss;
}
