import * as tf from '@tensorflow/tfjs-core';
import { Adam } from '../shared/adam.js';
import { gatherRows } from '../shared/batches.js';
import { schedule } from '../shared/schedule.js';
import { mostLikely } from '../shared/statistics.js';
import { CLASSES, type Digits, PIXELS } from './data.js';
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
  /** Called after every step, counted from 1. */
  readonly onStep: (step: number) => void;
}

/** Minimizes the objective with Adam: the one loop that trains the teacher and every student. */
export function train(training: Training): void {
  const { model, batches, objective, augment, steps } = training;
  const adam = new Adam(training.weightDecay);
  const weights = training.variables.map((variable) => ({
    variable,
    value: variable.dataSync<'float32'>(),
  }));
  for (let step = 1; step <= steps; step++) {
    const indices = batches.next().value;
    const images = gatherRows(training.images, PIXELS, indices);
    const pixels = augment?.(images) ?? images;
    tf.tidy(() => {
      const { value: loss, grads } = tf.variableGrads(
        () => {
          const outputs = model.forward(tf.tensor2d(pixels, [indices.length, PIXELS]));
          return objective(outputs, indices);
        },
        weights.map(({ variable }) => variable),
      );
      if (!Number.isFinite(loss.dataSync()[0])) {
        throw new Error(`the loss of step ${step} is not finite`);
      }
      adam.step(
        weights.map(({ variable, value }) => ({
          value,
          gradient: grads[variable.name]!.dataSync<'float32'>(),
        })),
        training.learningRate * schedule(step / steps),
      );
      for (const { variable, value } of weights) variable.assign(tf.tensor(value, variable.shape));
    });
    training.onStep(step);
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
