import * as tf from '@tensorflow/tfjs-core';
import { PIXELS, toPatches } from '../../digits/images.js';
import type { Transformer } from '../../digits/transformer.js';
import type { Answer } from './protocol.js';

/** Returns a model's answer for an image, with its attention. */
export function answer(model: Transformer, pixels: Float32Array): Answer {
  if (pixels.length !== PIXELS || !pixels.every(Number.isFinite)) {
    throw new RangeError(
      `an image must have ${PIXELS} finite pixels, got ${pixels.length} numbers`,
    );
  }
  return tf.tidy(() => {
    const { output, attention } = model.forward(tf.tensor2d(toPatches(pixels), [1, PIXELS]));
    return {
      logits: output.dataSync<'float32'>(),
      attention: tf.softmax(attention).dataSync<'float32'>(),
    };
  });
}
