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
 * Trains a student.
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
    await bridge.writeBack();
    bridge.dispose();
  }
}

/** What is said of the layers of a side, which has to be a model. */
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
