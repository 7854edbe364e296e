import type { IDistillationStrategy } from '../call/options.js';
import { refuse } from '../core/errors.js';
import { distillationLoss } from './distillationLoss.js';
import type { Tensor, TensorFlow } from './tensorflow.js';

/**
 * A strategy as the `loss` of `model.compile`, for the `y` of `model.fit` to be what the teacher
 * put out.
 *
 * Returns `(yTrue, yPred) => scalar`, in the order of TensorFlow.js: the teacher first. Both are as
 * in {@link distillationLoss}.
 *
 * `model.fit` hands a loss nothing but these two. A label goes to an output of its own, with a loss
 * of its own; TensorFlow.js adds up the losses of all outputs, each at weight 1. And it steps the
 * weights of the model alone: a strategy that learns a projection is refused (UNAVAILABLE); make
 * the projection a layer of the model. Weights of classes scale the batch's loss as a whole, since
 * a strategy returns one number for all rows.
 *
 * @example
 * import * as tf from '@tensorflow/tfjs';
 * import { ResponseDistillationStrategy } from 'knowledge-distillation';
 * import { fitLoss } from 'knowledge-distillation/tfjs';
 *
 * const student = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] });
 * const strategy = new ResponseDistillationStrategy({ temperature: 4 });
 * student.compile({ optimizer: 'adam', loss: fitLoss(tf, strategy) });
 * const teacherLogits = tf.tensor2d([[3, 1, 0], [0, 2, 1]]);
 * await student.fit(tf.tensor2d([[1, 0], [0, 1]]), teacherLogits, { epochs: 2, verbose: 0 });
 */
export function fitLoss<T extends Tensor, S extends T, V extends T>(
  tf: TensorFlow<T, S, V>,
  strategy: IDistillationStrategy,
): (yTrue: T, yPred: T) => S {
  const loss = distillationLoss(tf, strategy);
  if (loss.variables.length > 0) {
    loss.dispose();
    const expected = 'learn nothing of its own';
    const received = 'one with parameters, which model.fit would not step';
    const hint = 'make the projection a layer of the model, or use distillationLoss';
    refuse('UNAVAILABLE', 'fitLoss', 'strategy', expected, received, { hint });
  }
  return (yTrue, yPred) => loss(yPred, yTrue);
}
