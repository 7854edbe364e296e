import type { IDistillationStrategy } from '../call/options.js';
import type { HybridDistillationStrategy } from '../strategies/hybrid/hybrid.js';
import { byLayer, type Call, type LayerwiseCall } from '../tensors/evaluation.js';
import { Bridge, type LossState } from './bridge.js';
import type { Tensor, TensorFlow } from './tensorflow.js';

/** A loss of tensors. {@link distillationLoss} describes its arguments. */
export interface DistillationLoss<T extends Tensor, S extends T, V extends T> extends LossState<V> {
  (...call: Call<T>): S;
}

/** The loss of a hybrid, whose tensors may also be given by layer. */
export interface LayerwiseDistillationLoss<T extends Tensor, S extends T, V extends T>
  extends DistillationLoss<T, S, V> {
  (...call: LayerwiseCall<T>): S;
}

/**
 * Makes a loss function of tensors from a strategy, for `optimizer.minimize` and
 * `tf.variableGrads`. Its value and its gradient are those of the strategy, in float32.
 *
 * The loss reads the tensors synchronously. Use {@link distillationLossAsync} if the backend cannot
 * do that or if the thread must not wait, and {@link fitLoss} for `model.fit`.
 *
 * The result is a function `(student, teacher, labels?, options?)` that returns a scalar:
 *
 * - `student`: float32, shape [batch, columns]. A higher rank, such as [batch, length, columns], is
 *   flattened to rows
 * - `teacher`: a constant: float32 in the shape of the student, or flattened to [rows, columns]; or
 *   a matrix, or `SparseTargets` if the strategy takes them
 * - `labels`: class indices as an int32 tensor or an `Int32Array`; or distributions, such as
 *   one-hot rows, in the shape of the student
 * - `options`: `mask`, `rowWeights` and `temperatures`, each a tensor or an array with one number
 *   for each row; `normalizer`, the denominator of the mean; `rowLosses`, a `Float64Array` to which
 *   the loss of each row is written
 *
 * For a hybrid, student and teacher may be tensors by layer, `{ output, hidden }`: each entry of
 * the hybrid reads its own layer.
 *
 * @param tf - TensorFlow.js, as imported: `import * as tf from '@tensorflow/tfjs'`
 * @param strategy - any strategy. The same optimizer trains its parameters, such as a projection:
 *   see {@link LossState.variables}
 * @returns the function described above, with `components`, `variables` and `dispose`
 * @throws {TypeError} if `tf` is not TensorFlow.js or `strategy` is not a strategy
 * @throws {DistillationError} the returned function throws `DTYPE_MISMATCH` and `SHAPE_MISMATCH`
 * for a tensor of another dtype or rank, or whose dimensions are in another order ([length,
 * batch]); `UNAVAILABLE` for a disposed tensor, for a backend that only reads asynchronously, and
 * if its gradient is differentiated again; and the errors of the strategy
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { ResponseDistillationStrategy } from 'knowledge-distillation';
 * import { distillationLoss } from 'knowledge-distillation/tfjs';
 *
 * const loss = distillationLoss(tf, new ResponseDistillationStrategy({ temperature: 4 }));
 * const weights = tf.variable(tf.zeros([2, 3]));
 * const inputs = tf.tensor2d([[1, 0], [0, 1]]);
 * const teacher = tf.tensor2d([[3, 1, 0], [0, 2, 1]]);
 * const labels = tf.tensor1d([0, 1], 'int32');
 * const cost = () => loss(tf.matMul(inputs, weights), teacher, labels);
 * console.log(cost().dataSync()[0]?.toFixed(4)); // 0.7272
 * tf.train.sgd(0.5).minimize(cost);
 * console.log(cost().dataSync()[0]?.toFixed(4)); // 0.6203
 * ```
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
    const result = bridge.evaluate(call);
    loss.components = result.components;
    return bridge.differentiable(result, byLayer(bridge.operation, call[0]));
  };
  const loss = Object.assign(compute, bridge.state());
  return loss;
}
