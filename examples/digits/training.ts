import * as tf from '@tensorflow/tfjs-core';
import { gatherRows } from '../shared/batches.js';
import { mostLikely } from '../shared/statistics.js';
import { CLASSES, type Digits } from './data.js';
import { PIXELS } from './images.js';
import { ScheduledAdam, type TrainingSettings, type TrainingState } from './optimizer.js';
import type { Transformer, TransformerOutputs } from './transformer.js';

/** Computes the loss of the images `indices`. */
type Objective = (outputs: TransformerOutputs, indices: Int32Array) => tf.Scalar;

export interface Training extends TrainingSettings {
  readonly model: Transformer;
  readonly images: Float32Array;
  /** Endless batches of image indices. */
  readonly batches: Iterator<Int32Array, never>;
  /** Transforms the images of a batch before the forward pass. */
  readonly augment?: (images: Float32Array) => Float32Array;
  readonly objective: Objective;
  /** All learned variables: the model's, and the objective's. */
  readonly variables: readonly tf.Variable[];
}

/**
 * Minimizes an objective with Adam, one step at a time. It trains the teacher and every student.
 */
export class Trainer {
  readonly #training: Training;
  readonly #optimizer: ScheduledAdam;

  /**
   * With a `state`, resumes from it; `batches` must then be the batches of the steps that follow.
   */
  constructor(training: Training, state?: TrainingState) {
    this.#training = training;
    this.#optimizer = new ScheduledAdam(training, { variables: training.variables, state });
  }

  /** Number of completed steps. */
  get steps(): number {
    return this.#optimizer.steps;
  }

  /** A copy of the state. */
  get state(): TrainingState {
    return this.#optimizer.state;
  }

  /**
   * Takes one step on the next batch and returns its loss. A step that throws changes no variable.
   */
  step(): number {
    return tf.tidy(() => {
      const { value, grads } = this.#differentiate();
      const loss = value.dataSync()[0]!;
      if (!Number.isFinite(loss)) {
        throw new Error(`the loss of step ${this.steps + 1} is not finite`);
      }
      const { variables } = this.#training;
      this.#optimizer.applyGradients(variables.map(({ name }) => ({ name, tensor: grads[name]! })));
      return loss;
    });
  }

  /** Evaluates the objective on the next batch, with its gradients. */
  #differentiate(): { value: tf.Scalar; grads: tf.NamedTensorMap } {
    const { model, images, batches, augment, objective, variables } = this.#training;
    const indices = batches.next().value;
    const gathered = gatherRows(images, PIXELS, indices);
    const pixels = tf.tensor2d(augment?.(gathered) ?? gathered, [indices.length, PIXELS]);
    return tf.variableGrads(() => objective(model.forward(pixels), indices), [...variables]);
  }
}

/** Returns the most likely class of every image. */
export function classify(model: Transformer, { images, labels }: Digits): Int32Array {
  const classes = new Int32Array(labels.length);
  const chunk = 500;
  for (let start = 0; start < labels.length; start += chunk) {
    const pixels = images.subarray(start * PIXELS, (start + chunk) * PIXELS);
    const size = pixels.length / PIXELS;
    const output = tf.tidy(() => model.forward(tf.tensor2d(pixels, [size, PIXELS])).output);
    classes.set(mostLikely(output.dataSync<'float32'>(), CLASSES), start);
    output.dispose();
  }
  return classes;
}
