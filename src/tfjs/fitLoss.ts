import type { IDistillationStrategy } from '../call/options.js';
import { refuse } from '../core/errors.js';
import { isHybrid, readsLayers } from '../strategies/hybrid/nested.js';
import { byLayer } from '../tensors/evaluation.js';
import { Bridge } from './bridge.js';
import type { Tensor, TensorFlow } from './tensorflow.js';

/**
 * Makes a loss for `model.compile` from a strategy. The `y` of `model.fit` are then the outputs of
 * the teacher.
 *
 * Limits: `model.fit` passes only the outputs of teacher and student to a loss.
 *
 * - Labels need a second output of the model with a loss of its own. TensorFlow.js adds the losses
 *   of all outputs, each with weight 1.
 * - `model.fit` steps the weights of the model only. A strategy with learnable parameters is
 *   refused: make the projection a layer of the model, or use {@link distillationLoss}.
 * - A loss reads one output. A hybrid with an entry that is bound to a layer is refused: use
 *   {@link distill}.
 * - `classWeight` scales the loss of the whole batch, because a strategy returns one number for all
 *   rows.
 *
 * @param tf - TensorFlow.js, as imported: `import * as tf from '@tensorflow/tfjs'`
 * @param strategy - a strategy without learnable parameters
 * @returns a function `(yTrue, yPred)` that returns a scalar, in the order of TensorFlow.js: the
 *   teacher first. Both tensors are as in {@link distillationLoss}
 * @throws {TypeError} if `tf` is not TensorFlow.js or `strategy` is not a strategy
 * @throws {DistillationError} `UNAVAILABLE` for a strategy with learnable parameters, `LAYER` for
 *   a hybrid that names layers; the returned function throws the errors of {@link distillationLoss}
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { ResponseDistillationStrategy } from 'knowledge-distillation';
 * import { fitLoss } from 'knowledge-distillation/tfjs';
 *
 * const student = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] });
 * const strategy = new ResponseDistillationStrategy({ temperature: 4 });
 * student.compile({ optimizer: 'adam', loss: fitLoss(tf, strategy) });
 * const teacherLogits = tf.tensor2d([[3, 1, 0], [0, 2, 1]]);
 * const inputs = tf.tensor2d([[1, 0], [0, 1]]);
 * const { history } = await student.fit(inputs, teacherLogits, { epochs: 2, verbose: 0 });
 * console.log(history.loss?.length); // 2
 * ```
 */
export function fitLoss<T extends Tensor, S extends T, V extends T>(
  tf: TensorFlow<T, S, V>,
  strategy: IDistillationStrategy,
): (yTrue: T, yPred: T) => S {
  const operation = 'fitLoss';
  const bridge = new Bridge(operation, tf, strategy);
  if (bridge.variables.length > 0) {
    bridge.dispose();
    const expected = 'learn nothing of its own';
    const received = 'one with parameters, which model.fit would not step';
    const hint = 'make the projection a layer of the model, or use distill';
    refuse('UNAVAILABLE', operation, 'strategy', expected, received, { hint });
  }
  if (isHybrid(strategy) && readsLayers(strategy.getStrategies())) {
    const expected = 'have no entry that is bound to a layer';
    const hint = 'model.fit gives a loss one output: use distill, or distillationLoss';
    refuse('LAYER', operation, 'strategy', expected, 'a hybrid that has', { hint });
  }
  return (yTrue, yPred) =>
    bridge.differentiable(bridge.evaluate([yPred, yTrue]), byLayer(operation, yPred));
}
