import { throwType } from '../../core/errors.js';
import { typeTag } from '../../core/numeric.js';
import { OUTPUT, pickLayer } from '../../strategies/hybrid/layers.js';
import type { ByLayer, TeacherTensor } from '../../tensors/evaluation.js';
import { copiesOf } from '../bridge.js';
import { isHeld } from '../inputs.js';
import type { LayersModel, Tensor, TrainingTensorFlow } from '../tensorflow.js';
import type { Held } from './held.js';
import { isLayersModel, type LayerView, tap } from './layers.js';
import { isOneOutput, type Rows, type SampleTensors, type StoredOutputs } from './rows.js';

/**
 * What a teacher says about a batch, as tensors or as what the library takes itself, or a promise
 * of that. What the function makes on the way is disposed, as in `tf.tidy`. An `async` function
 * disposes it itself; the tensors that its promise gives are disposed after the batch.
 */
export type TeacherFunction<T extends Tensor, D extends SampleTensors<T>> = (
  batch: D,
) => StoredOutputs<T> | Promise<StoredOutputs<T>>;

/** A model, a function, or what a teacher put out for all samples. */
export type Teacher<T extends Tensor, D extends SampleTensors<T>> =
  | LayersModel
  | TeacherFunction<T, D>
  | StoredOutputs<T>;

/** The layers of a teacher that a strategy reads, for the samples of a batch. */
export type Targets<T extends Tensor, D extends SampleTensors<T>> = (
  batch: D,
  samples: Int32Array,
  held: Held<T>,
) => ByLayer<TeacherTensor<T>> | Promise<ByLayer<TeacherTensor<T>>>;

/** What the teachers of a training and of its validation share. */
export interface TeacherContext<T extends Tensor> {
  readonly operation: string;
  readonly tf: Pick<TrainingTensorFlow<T, T, T>, 'clone' | 'gather' | 'model' | 'tidy'>;
  /** The layers of the teacher that the strategy reads. */
  readonly names: readonly string[];
  readonly views: ByLayer<LayerView<T>>;
}

/** Whether a teacher answers for any batch. */
export function isAskable<T extends Tensor, D extends SampleTensors<T>>(
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
  if (typeof teacher === 'function') return asked(context, argument, teacher);
  if (isLayersModel(teacher)) {
    const run = tap(operation, 'teacher', teacher, names, views, tf.model);
    return asked(context, argument, (batch) => run(batch, { training: false }));
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
 * Asks a teacher about each batch. What a function makes on the way is disposed, unless it is
 * async: then it may need that when it goes on.
 */
function asked<T extends Tensor, D extends SampleTensors<T>>(
  { operation, tf, names }: TeacherContext<T>,
  argument: string,
  teacher: TeacherFunction<T, D>,
): Targets<T, D> {
  const isAsync = typeTag(teacher) === 'AsyncFunction';
  return async (batch, _, held) => {
    let made: unknown;
    if (isAsync) {
      made = await teacher(batch);
    } else {
      const copies = tf.tidy(() => {
        made = teacher(batch);
        return isPromise(made) ? {} : copiesOf(tf, targetsByLayer(operation, argument, made));
      });
      made = isPromise(made)
        ? await made
        : { ...targetsByLayer(operation, argument, made), ...copies };
    }
    const layers = targetsByLayer<T>(operation, argument, made);
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
  const hint = 'predict' in Object(outputs) ? 'pass (batch) => model.predict(batch)' : undefined;
  const expected = 'be a tf.LayersModel, a function of a batch, or what a teacher put out';
  throwType(operation, argument, expected, outputs, hint);
}
