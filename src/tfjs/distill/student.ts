import { refuse, throwType } from '../../core/errors.js';
import { pickLayer } from '../../strategies/hybrid/layers.js';
import { type ByLayer, byLayer } from '../../tensors/evaluation.js';
import type { LayersModel, Tensor, TrainingTensorFlow, Variable } from '../tensorflow.js';
import { isLayersModel, type LayerView, tap } from './layers.js';
import type { SampleTensors } from './rows.js';

/**
 * A student that is not a model: a function that returns its output, or its outputs by layer. On
 * WebGL and WebGPU it is called twice for each step and must return the same both times; random
 * numbers, such as dropout, are the same in both calls.
 */
export type StudentFunction<T extends Tensor, D extends SampleTensors<T>> = (
  batch: D,
  options: { readonly training: boolean },
) => T | ByLayer<T>;

/** A student in the form that a training needs. */
export interface Learner<T extends Tensor, V extends T, D extends SampleTensors<T>> {
  readonly variables: readonly V[];
  /** Returns the outputs of the layers that the strategy reads. */
  forward(batch: D, options: { training: boolean }): ByLayer<T>;
  /** Returns the penalties that regularizers add to the loss. */
  penalties(): T[];
  /**
   * Runs a function, then restores the statistics that the student updates as it runs: the means of
   * batch norms.
   */
  restoring<R>(compute: () => Promise<R>): Promise<R>;
}

/** The options of a training that describe its student. */
export interface StudentOptions<T extends Tensor, V extends T, D extends SampleTensors<T>> {
  /** A `tf.LayersModel`, compiled or not; or a function of a batch. */
  readonly student: LayersModel | StudentFunction<T, D>;
  /**
   * The variables to train, required if the student is a function. For a model, they are the
   * weights of its layers that are `trainable`.
   */
  readonly variables?: readonly V[] | undefined;
}

export function learnerOf<
  T extends Tensor,
  S extends T,
  V extends T & Variable,
  D extends SampleTensors<T>,
>(
  operation: string,
  tf: TrainingTensorFlow<T, S, V>,
  { student, variables }: StudentOptions<T, V, D>,
  names: readonly string[],
  views: ByLayer<LayerView<T>>,
): Learner<T, V, D> {
  if (isLayersModel(student)) {
    if (variables !== undefined) {
      const hint = 'set trainable of its layers to choose';
      const received = 'a model, which has its own';
      refuse(
        'MISPLACED_OPTION',
        operation,
        'variables',
        'come with a function as student',
        received,
        { hint },
      );
    }
    return learnerOfModel(operation, tf, student, names, views);
  }
  if (typeof student !== 'function') {
    throwType(operation, 'student', 'be a tf.LayersModel, or a function of a batch', student);
  }
  if (!Array.isArray(variables)) {
    const hint = 'they are what a student that is a function learns';
    throwType(operation, 'variables', 'be an array of variables', variables, hint);
  }
  checkLearns(operation, 'variables', variables);
  return {
    variables,
    forward: (batch, options) => {
      const layers = byLayer(operation, student(batch, options));
      return Object.fromEntries(
        names.map((name) => [name, pickLayer(operation, 'student', layers, name)]),
      );
    },
    penalties: () => [],
    restoring: (compute) => compute(),
  };
}

function learnerOfModel<
  T extends Tensor,
  S extends T,
  V extends T & Variable,
  D extends SampleTensors<T>,
>(
  operation: string,
  tf: TrainingTensorFlow<T, S, V>,
  model: LayersModel,
  names: readonly string[],
  views: ByLayer<LayerView<T>>,
): Learner<T, V, D> {
  const forward = tap(operation, 'student', model, names, views, tf.model);
  const read = (weights: LayersModel['trainableWeights']) =>
    weights.map((weight) => weight.read() as V);
  const variables = read(model.trainableWeights);
  checkLearns(operation, 'student', variables);
  return {
    variables,
    forward,
    penalties: () => model.calculateLosses() as T[],
    restoring: async (compute) => {
      const statistics = read(model.nonTrainableWeights).map((variable) => ({
        variable,
        before: tf.clone(variable),
      }));
      try {
        return await compute();
      } finally {
        for (const { variable, before } of statistics) {
          variable.assign(before);
          before.dispose();
        }
      }
    },
  };
}

function checkLearns(operation: string, argument: string, variables: readonly Tensor[]): void {
  if (variables.length > 0) return;
  refuse('EMPTY', operation, argument, 'have weights to train', 'none');
}
