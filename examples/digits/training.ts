import * as tf from '@tensorflow/tfjs-core';
import { Adam } from '../shared/adam.js';
import { gatherRows } from '../shared/batches.js';
import { schedule } from '../shared/schedule.js';
import { mostLikely } from '../shared/statistics.js';
import { CLASSES, type Digits } from './data.js';
import { PIXELS } from './images.js';
import type { Transformer, TransformerOutputs } from './transformer.js';

/** What is minimized on the images `indices`. */
type Objective = (outputs: TransformerOutputs, indices: Int32Array) => tf.Scalar;

export interface TrainingSettings {
  readonly steps: number;
  /** The highest one: it rises to it and falls to 0 again. */
  readonly learningRate: number;
  readonly weightDecay: number;
}

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

interface Weight {
  readonly variable: tf.Variable;
  readonly value: Float32Array;
}

/** Minimizes an objective with Adam, one step at a time: what trains the teacher and every student. */
export class Trainer {
  readonly #training: Training;
  readonly #adam: Adam;
  readonly #weights: readonly Weight[];
  #steps = 0;

  constructor(training: Training) {
    this.#training = training;
    this.#adam = new Adam(training.weightDecay);
    this.#weights = training.variables.map((variable) => ({
      variable,
      value: variable.dataSync<'float32'>(),
    }));
  }

  /** One step on the next batch. */
  step(): void {
    const { steps, learningRate } = this.#training;
    const step = ++this.#steps;
    tf.tidy(() => {
      const { value: loss, grads } = this.#differentiate();
      if (!Number.isFinite(loss.dataSync()[0])) {
        throw new Error(`the loss of step ${step} is not finite`);
      }
      this.#adam.step(
        this.#weights.map(({ variable, value }) => ({
          value,
          gradient: grads[variable.name]!.dataSync<'float32'>(),
        })),
        learningRate * schedule(step / steps),
      );
      for (const { variable, value } of this.#weights) {
        variable.assign(tf.tensor(value, variable.shape));
      }
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
