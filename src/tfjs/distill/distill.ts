import { checkOptions, refuse } from '../../core/errors.js';
import type { ByLayer } from '../../tensors/evaluation.js';
import { Bridge } from '../bridge.js';
import type { Tensor, TrainingTensorFlow, Variable } from '../tensorflow.js';
import { CallbackList } from './callbacks.js';
import type { DistillHistory } from './history.js';
import { isLayersModel, type LayerView } from './layers.js';
import { Loop } from './loop.js';
import { type DistillOptions, planOf } from './options.js';
import type { SampleTensors } from './rows.js';
import { pairsOf, Session } from './session.js';
import { sourceOf } from './source.js';
import { learnerOf } from './student.js';

const OPERATION = 'distill';

/**
 * Trains a student from a teacher by a strategy, like `keras.distillation.Distiller` in Keras.
 *
 * Each step decreases the loss of the strategy on a batch plus the penalties of the student's
 * regularizers. It trains the weights of the student and the parameters of the strategy, such as a
 * projection. A strategy reads layers of models by the names that the layers have there.
 *
 * The teacher runs as in `predict`. The student runs as in `fit`, with active dropout and batch
 * norms; in a validation it runs as in `predict`. After each epoch and at the end, also after an
 * error, the parameters of the strategy hold the learned values.
 *
 * - **Reproducibility**: the order of the samples and all random numbers depend on `seed`, the
 *   epoch and the batch only. The same call gives the same bits.
 * - **Abort**: once `signal` is aborted, the training ends after the batch under way. `onAbort`
 *   gets the state, and the promise rejects with the signal's reason, as in `fetch`. If the signal
 *   is aborted before the call, the promise rejects at once. A callback may also end the training
 *   by `student.stopTraining = true`; the promise then resolves.
 * - **Resuming**: with the state of `onAbort` as `resume` (or with `initialEpoch`) and the same
 *   options, optimizer, student and strategy, the result has the same bits as without an
 *   interruption. The state is plain data.
 * - **Memory**: only the rows of a batch are copied from `data`, `labels`, `mask` and stored
 *   outputs of a teacher. All tensors of a batch are disposed, also after an error.
 * - **Backends**: on `cpu`, `wasm` and `tensorflow`, a step works as in {@link distillationLoss}.
 *   On other backends it works as in {@link distillationLossAsync}: the student runs twice, the
 *   second time with the same random numbers.
 *
 * Limits: `ContrastiveRepresentationDistillationStrategy` is not supported, because its memory
 * needs the samples of each batch. If an optimizer is restored by `setWeights`, Adam of
 * TensorFlow.js recomputes the powers of its β, and its steps can differ in the last bits.
 *
 * @param tf - TensorFlow.js, as imported: `import * as tf from '@tensorflow/tfjs'`
 * @param options - {@link DistillOptions}; `student`, `strategy`, `optimizer`, `data` and `epochs`
 * are required, and `teacher` unless the strategy learns from labels alone
 * @returns the history: for each epoch, the mean of `loss` and, for a hybrid, the mean of
 * `<name>_loss` of each entry, before its weight. With `validation`, it has the same means with the
 * prefix `val_`. If the strategy reads labels, a validation also has `val_agreement`, the share of
 * the samples in which student and teacher have the same most probable class, and, with labels,
 * `val_accuracy`. Means are over samples
 * @throws {DistillationError} `UNKNOWN_OPTION`, `OUT_OF_RANGE`, `MISPLACED_OPTION` for options that
 *   exclude each other, `LAYER` for a layer that a model does not have, `SHAPE_MISMATCH` if labels,
 *   mask or teacher have another number of samples, `EMPTY`, `UNAVAILABLE` for a disposed tensor,
 *   and the errors of the strategy
 * @throws {TypeError} for an option of the wrong type. Errors of callbacks and of the functions
 * that are passed are not changed
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import {
 *   FeatureDistillationStrategy,
 *   HybridDistillationStrategy,
 *   LinearProjection,
 *   ResponseDistillationStrategy,
 * } from 'knowledge-distillation';
 * import { distill } from 'knowledge-distillation/tfjs';
 *
 * const makeModel = (units: number) => tf.sequential({ layers: [
 *   tf.layers.dense({ name: 'hidden', units, activation: 'relu', inputShape: [8] }),
 *   tf.layers.dense({ name: 'logits', units: 3 }),
 * ] });
 * const projection = new LinearProjection(6, 24);
 * const { history } = await distill(tf, {
 *   teacher: makeModel(24), // a real teacher is trained
 *   student: makeModel(6),
 *   strategy: new HybridDistillationStrategy([
 *     { strategy: new ResponseDistillationStrategy({ temperature: 4 }), weight: 0.7 },
 *     { strategy: new FeatureDistillationStrategy({ projection }), weight: 0.3, layer: 'hidden' },
 *   ]),
 *   optimizer: tf.train.adam(0.01),
 *   data: tf.randomNormal([64, 8]),
 *   epochs: 3,
 * });
 * console.log(history.loss?.length); // 3
 * ```
 */
export async function distill<
  T extends Tensor,
  S extends T,
  V extends T & Variable,
  D extends SampleTensors<T>,
>(tf: TrainingTensorFlow<T, S, V>, options: DistillOptions<T, V, D>): Promise<DistillHistory> {
  const plan = planOf(OPERATION, options);
  const { student, teacher, strategy, optimizer, validation, callbacks = [], signal } = options;
  const bridge = new Bridge(OPERATION, tf, strategy);
  try {
    if (signal?.aborted) throw signal.reason;
    const pairs = pairsOf(strategy);
    const names = {
      student: [...new Set(pairs.map((pair) => pair.student))],
      teacher: [...new Set(pairs.map((pair) => pair.teacher))],
    };
    const views = {
      student: viewsOf(options, 'student', names.student, [student]),
      teacher: viewsOf(options, 'teacher', names.teacher, [teacher, validation?.teacher]),
    };
    const context = { operation: OPERATION, tf, names: names.teacher, views: views.teacher };
    const learner = learnerOf(OPERATION, tf, options, names.student, views.student);
    const { seed } = plan;
    const judges = validation && { ...validation, teacher: validation.teacher ?? teacher };
    const loop = new Loop<T, D>({
      session: new Session({ tf, bridge, strategy, learner, optimizer, seed }),
      training: sourceOf<T, D>(context, '', options),
      validation: judges && sourceOf<T, D>(context, 'validation.', judges),
      plan,
      callbacks: new CallbackList(OPERATION, callbacks, student),
      signal,
      control: isLayersModel(student) ? student : { stopTraining: false },
    });
    return await loop.run();
  } finally {
    try {
      await bridge.writeBack();
    } finally {
      bridge.dispose();
    }
  }
}

/** Returns the views on the layers of a side. Throws for views if the side is not a model. */
function viewsOf<T extends Tensor, V extends T, D extends SampleTensors<T>>(
  { layers = {} }: DistillOptions<T, V, D>,
  side: 'student' | 'teacher',
  names: readonly string[],
  models: readonly unknown[],
): ByLayer<LayerView<T>> {
  checkOptions(OPERATION, 'layers', layers, ['student', 'teacher']);
  const views = layers[side];
  if (views === undefined) return {};
  const argument = `layers.${side}`;
  checkOptions(OPERATION, argument, views, names);
  if (models.some(isLayersModel)) return views;
  const hint = 'what is no model gives its layers by the names that the strategy reads';
  const expected = 'come with a tf.LayersModel';
  refuse('MISPLACED_OPTION', OPERATION, argument, expected, `another ${side}`, { hint });
}
