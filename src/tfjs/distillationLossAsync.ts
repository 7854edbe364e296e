import type { IDistillationStrategy } from '../call/options.js';
import { throwType } from '../core/errors.js';
import type { HybridDistillationStrategy } from '../strategies/hybrid/hybrid.js';
import type { ByLayer, Call, LayerwiseCall, Rest } from '../tensors/evaluation.js';
import { Bridge, type LossState } from './bridge.js';
import type { Tensor, TensorFlow } from './tensorflow.js';

/** A loss of tensors that calls the student. {@link distillationLossAsync} describes it. */
export interface AsyncDistillationLoss<T extends Tensor, S extends T, V extends T>
  extends LossState<V> {
  (forward: () => T, ...rest: Rest<Call<T>>): Promise<() => S>;
}

/** The loss of a hybrid, whose tensors may also be given by layer. */
export interface AsyncLayerwiseDistillationLoss<T extends Tensor, S extends T, V extends T>
  extends AsyncDistillationLoss<T, S, V> {
  (forward: () => ByLayer<T>, ...rest: Rest<LayerwiseCall<T>>): Promise<() => S>;
}

/**
 * Makes a loss function of tensors that never reads synchronously; otherwise it is like
 * {@link distillationLoss}. Use it if the thread must not wait (WebGL), and for backends without
 * reliable synchronous reads: WebGPU reads through a canvas, which is slow, and gives zeros without
 * a graphics card.
 *
 * The function runs the student, awaits its outputs, and evaluates the strategy. The promise
 * resolves to a cost, which runs the student again to propagate the gradient through it. The price
 * is this second forward pass.
 *
 * The result is a function `(forward, teacher, labels?, options?)`, which returns a promise of a
 * function `() => scalar` for `optimizer.minimize` and `tf.variableGrads`. The cost is valid for
 * the present weights only, which means for one step.
 *
 * - `forward`: a function that returns the student's output, or its outputs by layer. It is called
 *   twice and must return the same both times: a dropout without a seed would get the gradient of
 *   other random numbers. Its intermediate tensors are disposed
 * - `teacher`, `labels` and `options` are as in {@link distillationLoss}
 *
 * @param tf - TensorFlow.js, as imported: `import * as tf from '@tensorflow/tfjs'`
 * @param strategy - any strategy. The same optimizer trains its parameters, such as a projection:
 *   see {@link LossState.variables}
 * @returns the function described above, with `components`, `variables` and `dispose`
 * @throws {TypeError} if `tf` is not TensorFlow.js or `strategy` is not a strategy
 * @throws {DistillationError} the returned function rejects with the errors of
 *   {@link distillationLoss}
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { ResponseDistillationStrategy } from 'knowledge-distillation';
 * import { distillationLossAsync } from 'knowledge-distillation/tfjs';
 *
 * const loss = distillationLossAsync(tf, new ResponseDistillationStrategy({ temperature: 4 }));
 * const weights = tf.variable(tf.zeros([2, 3]));
 * const inputs = tf.tensor2d([[1, 0], [0, 1]]);
 * const teacher = tf.tensor2d([[3, 1, 0], [0, 2, 1]]);
 * const cost = await loss(() => tf.matMul(inputs, weights), teacher);
 * console.log((await cost().data())[0]?.toFixed(4)); // 0.5680
 * tf.train.sgd(0.5).minimize(cost);
 * ```
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
    const { result, cost } = await bridge.rehearse(forward, ...rest);
    loss.components = result.components;
    return cost;
  };
  const loss = Object.assign(compute, bridge.state());
  return loss;
}
