import { throwType } from '../../core/errors.js';
import { typeTag } from '../../core/numeric.js';
import { OUTPUT, pickLayer } from '../../strategies/hybrid/layers.js';
import type { ByLayer, TeacherTensor } from '../../tensors/evaluation.js';
import { arrayHint, isTensor } from '../../tensors/tensor.js';
import { copiesOf } from '../bridge.js';
import { isHeld } from '../inputs.js';
import type { LayersModel, Tensor, TrainingTensorFlow } from '../tensorflow.js';
import type { BatchTensors } from './batchTensors.js';
import { isLayersModel, type LayerView, tap } from './layers.js';
import { isOneOutput, type Rows, type SampleTensors, type StoredOutputs } from './rows.js';

/**
 * Returns the teacher's outputs for a batch, as tensors, matrices or `SparseTargets`, or a promise
 * of them. Intermediate tensors of the function are disposed, as in `tf.tidy`. An `async` function
 * must dispose them itself; the tensors that its promise resolves to are disposed after the batch.
 */
export type TeacherFunction<T extends Tensor, D extends SampleTensors<T>> = (
  batch: D,
) => StoredOutputs<T> | Promise<StoredOutputs<T>>;

/** A model, a function of a batch, or stored outputs of a teacher for all samples. */
export type Teacher<T extends Tensor, D extends SampleTensors<T>> =
  | LayersModel
  | TeacherFunction<T, D>
  | StoredOutputs<T>;

/** The rule for a teacher, as messages state it. */
export const TEACHER = 'be a tf.LayersModel, a function of a batch, or stored outputs';

/** Returns the outputs of a teacher that a strategy reads, by layer, for the samples of a batch. */
export type Targets<T extends Tensor, D extends SampleTensors<T>> = (
  batch: D,
  samples: Int32Array,
  held: BatchTensors<T>,
) => ByLayer<TeacherTensor<T>> | Promise<ByLayer<TeacherTensor<T>>>;

/** Settings that the teachers of a training and of its validation share. */
export interface TeacherContext<T extends Tensor> {
  readonly operation: string;
  readonly tf: Pick<TrainingTensorFlow<T, T, T>, 'clone' | 'gather' | 'model' | 'tidy'>;
  /** The layers of the teacher that the strategy reads. */
  readonly names: readonly string[];
  readonly views: ByLayer<LayerView<T>>;
}

/** Whether a teacher can compute outputs for any batch: stored outputs cannot. */
export function isComputed<T extends Tensor, D extends SampleTensors<T>>(
  teacher: Teacher<T, D>,
): teacher is LayersModel | TeacherFunction<T, D> {
  return typeof teacher === 'function' || isLayersModel(teacher);
}

export function targetsOf<T extends Tensor, D extends SampleTensors<T>>(
  context: TeacherContext<T>,
  argument: string,
  teacher: Teacher<T, D>,
  rows: Rows<T>,
): Targets<T, D> {
  const { operation, tf, names, views } = context;
  if (typeof teacher === 'function') return computedTargets(context, argument, teacher);
  if (isLayersModel(teacher)) {
    const run = tap(operation, 'teacher', teacher, names, views, tf.model);
    return computedTargets(context, argument, (batch) => run(batch, { training: false }));
  }
  const layers = targetsByLayer<T>(operation, argument, teacher);
  const takes = names.map((name) => {
    const stored = pickLayer(operation, argument, layers, name);
    const place = isOneOutput(teacher) ? argument : `${argument}.${name}`;
    return [name, rows.teacher(place, stored)] as const;
  });
  return (_, samples, held) =>
    Object.fromEntries(takes.map(([name, take]) => [name, take(samples, held)]));
}

/**
 * Runs a teacher on each batch. Intermediate tensors are disposed, except for those of an async
 * function, which may need them after an await.
 */
function computedTargets<T extends Tensor, D extends SampleTensors<T>>(
  { operation, tf, names }: TeacherContext<T>,
  argument: string,
  teacher: TeacherFunction<T, D>,
): Targets<T, D> {
  const isAsync = typeTag(teacher) === 'AsyncFunction';
  return async (batch, _, held) => {
    let returned: unknown;
    if (isAsync) {
      returned = await teacher(batch);
    } else {
      const copies = tf.tidy(() => {
        returned = teacher(batch);
        return isPromise(returned)
          ? {}
          : copiesOf(tf, targetsByLayer(operation, argument, returned));
      });
      returned = isPromise(returned)
        ? await returned
        : { ...targetsByLayer(operation, argument, returned), ...copies };
    }
    const layers = targetsByLayer<T>(operation, argument, returned);
    for (const layer of Object.values(layers)) if (isHeld(layer)) held.add(layer as T);
    return Object.fromEntries(
      names.map((name) => [name, pickLayer(operation, argument, layers, name)]),
    );
  };
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}

function targetsByLayer<T extends Tensor>(
  operation: string,
  argument: string,
  outputs: unknown,
): ByLayer<TeacherTensor<T>> {
  if (isOneOutput<T>(outputs)) return { [OUTPUT]: outputs };
  if (typeTag(outputs) === 'Object' && !('predict' in Object(outputs))) {
    return outputs as ByLayer<TeacherTensor<T>>;
  }
  const hint =
    'predict' in Object(outputs)
      ? 'pass (batch) => model.predict(batch)'
      : arrayHint(isTensor(Object(outputs)[0]) ? undefined : outputs);
  throwType(operation, argument, TEACHER, outputs, hint);
}
