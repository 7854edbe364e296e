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
 * Trains a student from a teacher by a strategy: what `keras.distillation.Distiller` is to Keras.
 * Each step descends on
 *
 *     strategy(student(batch), teacher(batch), labels of the batch) + penalties of the student's regularizers
 *
 * by the weights of the student and what the strategy itself learns, such as a projection. Models
 * are read layer by layer, by the names that the layers have in the models.
 *
 * - `tf`: TensorFlow.js, as imported
 * - `options`: {@link DistillOptions}. Required are `teacher`, `student`, `strategy`, `optimizer`,
 *   `data` and `epochs`
 *
 * Returns a promise of the history: for each epoch the mean of `loss`; for a hybrid, of
 * `<name>_loss` of each entry, before its weight; and with `validation`, the same with `val_`
 * before it. If the strategy reads labels, a validation also has `val_agreement`, how often the
 * most likely class is that of the teacher, and with labels `val_accuracy`. Means are over samples.
 *
 * The teacher runs as in `predict`, the student as in `fit`: its dropouts are on, its batch norms
 * count. In a validation both run as in `predict`. The parameters of the strategy hold what was
 * learned after each epoch and at the end, also after an error.
 *
 * - **Order and draws** depend on `seed`, the epoch and the batch. The same call gives the same
 *   bits.
 * - **Abort**: once `signal` is aborted, the training ends between two batches. `onAbort` gets the
 *   state, and the promise is rejected with the signal's reason, as that of `fetch` is. A signal
 *   that is aborted before the call rejects at once. A callback may also end the training by
 *   `student.stopTraining = true`; then the promise is resolved.
 * - **Going on**: with `resume`, the state of `onAbort`, or with `initialEpoch`, the same options
 *   and the same optimizer, student and strategy, a training ends with the same bits as one that
 *   was never interrupted. The state is plain data.
 * - **Memory**: a batch is gathered from `data`, `labels`, `mask` and a stored teacher; nothing
 *   else is copied, and no tensor is left behind, also after an error.
 * - **Backends**: on `cpu`, `wasm` and `tensorflow`, a step is that of {@link distillationLoss}. On
 *   others, as in {@link distillationLossAsync}, the student runs twice, the second time with the
 *   same draws.
 *
 * Throws `DistillationError`: UNKNOWN_OPTION, OUT_OF_RANGE, MISPLACED_OPTION (an option beside one
 * that excludes it), LAYER (a layer that a model does not have), SHAPE_MISMATCH (labels, a mask or
 * a teacher for other samples), EMPTY, UNAVAILABLE (a disposed tensor), and what the strategy
 * throws; `TypeError` for what is of another type. What callbacks and functions throw passes.
 *
 * Not for `ContrastiveRepresentationDistillationStrategy`, whose memory has to be told the samples
 * of each batch. Where an optimizer is restored by `setWeights`, Adam of TensorFlow.js computes the
 * powers of its β anew: its steps may differ in the last bits.
 *
 * @example
 * import * as tf from '@tensorflow/tfjs';
 * import {
 *   FeatureDistillationStrategy, HybridDistillationStrategy, LinearProjection, ResponseDistillationStrategy,
 * } from 'knowledge-distillation';
 * import { distill } from 'knowledge-distillation/tfjs';
 *
 * const makeModel = (units: number) => tf.sequential({ layers: [
 *   tf.layers.dense({ name: 'hidden', units, activation: 'relu', inputShape: [8] }),
 *   tf.layers.dense({ name: 'logits', units: 3 }),
 * ] });
 * const projection = new LinearProjection(6, 24);
 * const { history } = await distill(tf, {
 *   teacher: makeModel(24), // in earnest, it is trained
 *   student: makeModel(6),
 *   strategy: new HybridDistillationStrategy([
 *     { strategy: new ResponseDistillationStrategy({ temperature: 4 }), weight: 0.7 },
 *     { strategy: new FeatureDistillationStrategy({ projection }), weight: 0.3, layer: 'hidden' },
 *   ]),
 *   optimizer: tf.train.adam(0.01),
 *   data: tf.randomNormal([64, 8]),
 *   epochs: 3,
 * });
 * console.log(history.loss); // three numbers, each smaller than the one before
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

/** The views on the layers of a side, which has to be a model. */
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
