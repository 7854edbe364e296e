import * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../shared/random.js';
import type { LanguageModel } from './model.js';

/**
 * Continues sequences of `length` tokens after their first `promptLength` tokens by samples of a
 * model at temperature 1. Returns the sequences with their prompts.
 */
export function continueSequences(
  model: LanguageModel,
  sequences: Int32Array,
  length: number,
  promptLength: number,
  random: Random,
): Int32Array {
  const written = sequences.slice();
  const count = written.length / length;
  tf.tidy(() => {
    const weights = model.tensors();
    for (let position = promptLength; position < length; position++) {
      const seen = Math.min(position, model.context);
      const windows = new Int32Array(count * seen);
      for (let i = 0; i < count; i++) {
        const end = i * length + position;
        windows.set(written.subarray(end - seen, end), i * seen);
      }
      const logits = tf.tidy(() => model.forward(windows, seen, weights).dataSync<'float32'>());
      const { vocabulary } = model;
      for (let i = 0; i < count; i++) {
        const end = (i + 1) * seen * vocabulary;
        written[i * length + position] = draw(logits.subarray(end - vocabulary, end), random);
      }
    }
  });
  return written;
}

/** Draws an index from the softmax of `logits`. */
function draw(logits: Float32Array, random: Random): number {
  const largest = Math.max(...logits);
  const shares = Array.from(logits, (logit) => Math.exp(logit - largest));
  let rest = random.uniform() * shares.reduce((sum, share) => sum + share, 0);
  const drawn = shares.findIndex((share) => {
    rest -= share;
    return rest < 0;
  });
  return drawn >= 0 ? drawn : logits.indexOf(largest); // rounding may leave a remainder
}
