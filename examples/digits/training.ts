import * as tf from '@tensorflow/tfjs-core';
import { gatherRows } from '../shared/batches.js';
import { mostLikely } from '../shared/statistics.js';
import { CLASSES, type Digits } from './data.js';
import { PIXELS } from './images.js';
import { ScheduledAdam, type TrainingSettings, type TrainingState } from './optimizer.js';
import type { Transformer, TransformerOutputs } from './transformer.js';

/** What is minimized on the images `indices`. */
type Objective = (outputs: TransformerOutputs, indices: Int32Array) => tf.Scalar;

export interface Training extends TrainingSettings {
  readonly model: Transformer;
  readonly images: Float32Array;
  /** Endless; every batch lists the images to look at. */
  readonly batches: Iterator<Int32Array, never>;
  /** What becomes of the images of a batch first. */
  readonly augment?: (images: Float32Array) => Float32Array;
  readonly objective: Objective;
  /** What is learned: the model's weights, and those of the objective. */
  readonly variables: readonly tf.Variable[];
}

/**
 * Minimizes an objective with Adam, one step at a time: what trains the teacher and every student.
 */
export class Trainer {
  readonly #training: Training;
  readonly #optimizer: ScheduledAdam;

  /** With a `state`, goes on from there; `batches` have to be those of the steps to come. */
  constructor(training: Training, state?: TrainingState) {
    this.#training = training;
    this.#optimizer = new ScheduledAdam(training, { variables: training.variables, state });
  }

  /** How many steps are done. */
  get steps(): number {
    return this.#optimizer.steps;
  }

  /** A copy of it. */
  get state(): TrainingState {
    return this.#optimizer.state;
  }

  /**
   * One step on the next batch; returns its loss. One that throws has changed nothing that is
   * learned.
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

  /** The objective on the next batch, with its gradients. */
  #differentiate(): { value: tf.Scalar; grads: tf.NamedTensorMap } {
    const { model, images, batches, augment, objective, variables } = this.#training;
    const indices = batches.next().value;
    const gathered = gatherRows(images, PIXELS, indices);
    const pixels = tf.tensor2d(augment?.(gathered) ?? gathered, [indices.length, PIXELS]);
    return tf.variableGrads(() => objective(model.forward(pixels), indices), [...variables]);
  }
}

/** The most likely class of every image. */
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
