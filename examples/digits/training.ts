import * as tf from '@tensorflow/tfjs-core';
import { Adam, type Moments } from '../shared/adam.js';
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

/** All that a training goes on from, but for its batches. */
export interface TrainingState {
  readonly step: number;
  /** What is learned, in the order of the variables. */
  readonly parameters: readonly Parameter[];
}

interface Parameter extends Moments {
  readonly value: Float32Array;
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

  /** With a `state`, goes on from there; `batches` have to be those of the steps to come. */
  constructor(training: Training, state?: TrainingState) {
    this.#training = training;
    this.#adam = new Adam(training.weightDecay, state?.step);
    this.#weights = training.variables.map((variable) => ({
      variable,
      value: variable.dataSync<'float32'>(),
    }));
    if (state) this.#restore(state);
  }

  /** How many steps are done. */
  get steps(): number {
    return this.#adam.steps;
  }

  /** A copy of it. */
  get state(): TrainingState {
    const parameters = this.#weights.map(({ value }) => {
      const { mean, square } = this.#adam.momentsOf(value);
      return { value: value.slice(), mean: mean.slice(), square: square.slice() };
    });
    return { step: this.#adam.steps, parameters };
  }

  /** One step on the next batch; returns its loss. One that throws has changed nothing that is learned. */
  step(): number {
    const { steps, learningRate } = this.#training;
    const step = this.#adam.steps + 1;
    return tf.tidy(() => {
      const { value, grads } = this.#differentiate();
      const loss = value.dataSync()[0]!;
      if (!Number.isFinite(loss)) throw new Error(`the loss of step ${step} is not finite`);
      this.#adam.step(
        this.#weights.map(({ variable, value }) => ({
          value,
          gradient: grads[variable.name]!.dataSync<'float32'>(),
        })),
        learningRate * schedule(step / steps),
      );
      this.#assign();
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

  #restore({ parameters }: TrainingState): void {
    checkParameters(parameters, this.#weights);
    for (const [i, { value }] of this.#weights.entries()) {
      const saved = parameters[i]!;
      const { mean, square } = this.#adam.momentsOf(value);
      value.set(saved.value);
      mean.set(saved.mean);
      square.set(saved.square);
    }
    this.#assign();
  }

  #assign(): void {
    tf.tidy(() => {
      for (const { variable, value } of this.#weights) {
        variable.assign(tf.tensor(value, variable.shape));
      }
    });
  }
}

/** Throws unless there is one parameter for each weight, of as many finite numbers. */
function checkParameters(parameters: readonly Parameter[], weights: readonly Weight[]): void {
  if (parameters.length !== weights.length) {
    throw new RangeError(
      `the state has ${parameters.length} parameters, expected ${weights.length}: another model?`,
    );
  }
  for (const [i, { value }] of weights.entries()) {
    for (const part of ['value', 'mean', 'square'] as const) {
      const numbers = parameters[i]![part];
      if (numbers?.length === value.length && numbers.every(Number.isFinite)) continue;
      throw new RangeError(
        `parameter ${i} of the state has a ${part} of ${numbers?.length} numbers, expected ${value.length} finite ones`,
      );
    }
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
