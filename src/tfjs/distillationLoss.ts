import type { IDistillationStrategy } from '../call/options.js';
import type { HybridDistillationStrategy } from '../strategies/hybrid/hybrid.js';
import { byLayer, type Call, type LayerwiseCall } from '../tensors/evaluation.js';
import { Bridge, type LossState } from './bridge.js';
import type { Tensor, TensorFlow } from './tensorflow.js';

/** A loss of two tensors. */
export interface DistillationLoss<T extends Tensor, S extends T, V extends T> extends LossState<V> {
  (...call: Call<T>): S;
}

/** The loss of a hybrid, also of tensors by layer. */
export interface LayerwiseDistillationLoss<T extends Tensor, S extends T, V extends T>
  extends DistillationLoss<T, S, V> {
  (...call: LayerwiseCall<T>): S;
}

/**
 * A strategy as a loss of tensors, which `optimizer.minimize` and `tf.variableGrads` differentiate:
 * its value is the strategy's, its gradient the strategy's too, in float32. It reads the tensors
 * synchronously; where a backend cannot, or the thread must not wait, see
 * {@link distillationLossAsync}. In `model.fit`, see {@link fitLoss}.
 *
 * - `tf`: TensorFlow.js, as imported
 * - `strategy`: any; a learned projection is trained by the same optimiser, see
 *   {@link LossState.variables}
 *
 * Returns `(student, teacher, labels?, options?) => scalar`:
 *
 * - student: float32, shape [batch, columns]; a higher rank, [batch, length, columns], flattens to
 *   rows
 * - teacher: a constant, float32 in the same shape or flat, [rows, columns]; or a matrix, or
 *   `SparseTargets` where the strategy takes them
 * - labels: class indices, an int32 tensor or an `Int32Array`; or distributions, one-hot for
 *   instance, in the student's shape
 * - options: `mask`, `rowWeights`, `temperatures`, each a tensor or an array of one number a row;
 *   `normalizer`, the denominator of the mean; `rowLosses`, a `Float64Array` that is written with
 *   the loss of each row
 *
 * For a hybrid, student and teacher may be tensors by layer, `{ output, hidden }`, and each entry
 * reads its own.
 *
 * Throws what the strategy throws, and `DistillationError` for a tensor of another type or rank, or
 * with its rows in other dimensions, [length, batch] (DTYPE_MISMATCH, SHAPE_MISMATCH), one that was
 * disposed, a backend that reads asynchronously alone, and where the gradient itself is to be
 * differentiated (UNAVAILABLE).
 *
 * @example
 * import * as tf from '@tensorflow/tfjs';
 * import { ResponseDistillationStrategy } from 'knowledge-distillation';
 * import { distillationLoss } from 'knowledge-distillation/tfjs';
 *
 * const loss = distillationLoss(tf, new ResponseDistillationStrategy({ temperature: 4 }));
 * const weights = tf.variable(tf.zeros([2, 3]));
 * const inputs = tf.tensor2d([[1, 0], [0, 1]]);
 * const teacher = tf.tensor2d([[3, 1, 0], [0, 2, 1]]);
 * const labels = tf.tensor1d([0, 1], 'int32');
 * tf.train.sgd(0.5).minimize(() => loss(tf.matMul(inputs, weights), teacher, labels));
 */
export function distillationLoss<T extends Tensor, S extends T, V extends T>(
  tf: TensorFlow<T, S, V>,
  strategy: HybridDistillationStrategy,
): LayerwiseDistillationLoss<T, S, V>;
export function distillationLoss<T extends Tensor, S extends T, V extends T>(
  tf: TensorFlow<T, S, V>,
  strategy: IDistillationStrategy,
): DistillationLoss<T, S, V>;
export function distillationLoss<T extends Tensor, S extends T, V extends T>(
  tf: TensorFlow<T, S, V>,
  strategy: IDistillationStrategy,
): LayerwiseDistillationLoss<T, S, V> {
  const bridge = new Bridge('distillationLoss', tf, strategy);
  const compute = (...call: Call<T> | LayerwiseCall<T>): S => {
    const answer = bridge.answer(call);
    loss.components = answer.components;
    return bridge.differentiable(answer, byLayer(bridge.operation, call[0]));
  };
  const loss = Object.assign(compute, bridge.state());
  return loss;
}
