import * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../shared/random.js';
import { KERNEL, layoutOf, type Shape, type Student } from './detector/layout.js';

/** Creates a student with random weights; its biases are 0. */
export function createStudent(shape: Shape, random: Random): Student {
  const tensors = layoutOf(shape);
  const parameters = tensors.flatMap(({ name, rows, columns }) => {
    // The blocks add to one stream: together they start as large as one of them.
    const blocks = name.includes('.point.') ? shape.blocks : 1;
    const deviation = 1 / Math.sqrt(columns * blocks);
    const isBias = name.endsWith('.bias');
    return Array.from({ length: rows * columns }, () => (isBias ? 0 : deviation * random.normal()));
  });
  return { shape, parameters: Float32Array.from(parameters) };
}

/** The tensors of a student, in the order of {@link layoutOf}. */
export function tensorsOf({ shape, parameters }: Student): tf.Tensor2D[] {
  return layoutOf(shape).map(({ rows, columns, offset }) =>
    tf.tensor2d(parameters.subarray(offset, offset + rows * columns), [rows, columns]),
  );
}

/**
 * Computes the logits of several sounds at once, as `detector/model.ts` does for one. The rows of
 * `bands` are the first frames of all sounds, then their second frames, and so on. Earlier frames
 * are then earlier rows, and no sound needs an axis of its own.
 */
export function forward(
  bands: tf.Tensor2D,
  sounds: number,
  weights: readonly tf.Tensor[],
): tf.Tensor2D {
  const [input, inputBias, ...rest] = weights;
  const [output, outputBias] = rest.splice(-2);
  let stream = linear(bands, input!, inputBias!);
  for (let dilation = 1; rest.length > 0; dilation *= 2) {
    const [depth, depthBias, point, pointBias] = rest.splice(0, 4);
    const deep = tf.relu(tf.add(convolve(stream, depth!, dilation * sounds), depthBias!));
    stream = tf.add(stream, linear(deep, point!, pointBias!));
  }
  return linear(stream, output!, outputBias!);
}

function linear(rows: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor2D {
  return tf.add(tf.matMul(rows, tf.transpose(weight)), bias);
}

/**
 * Convolves each channel with its own row of `depth`: the last column is for the present row, each
 * column before it for rows that are another `distance` earlier.
 */
function convolve(rows: tf.Tensor, depth: tf.Tensor, distance: number): tf.Tensor {
  const taps = Array.from({ length: KERNEL }, (_, tap) => {
    const weight = tf.reshape(tf.slice(depth, [0, tap], [-1, 1]), [-1]);
    return tf.mul(delay(rows, (KERNEL - 1 - tap) * distance), weight);
  });
  return taps.reduce((sum, tap) => tf.add(sum, tap));
}

/** Moves the rows down; zeros come first. */
function delay(rows: tf.Tensor, distance: number): tf.Tensor {
  if (distance === 0) return rows;
  const kept = Math.max(0, rows.shape[0]! - distance);
  return tf.pad(tf.slice(rows, [0, 0], [kept, -1]), [
    [rows.shape[0]! - kept, 0],
    [0, 0],
  ]);
}
