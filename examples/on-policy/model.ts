import * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../shared/random.js';

export interface ModelSize {
  readonly layers: number;
  readonly width: number;
}

interface Weight {
  readonly value: Float32Array;
  readonly shape: [number, number];
}

/** Weights of a layer. */
const PER_LAYER = 4;
/** Hidden units of a layer per unit of the width. */
const EXPANSION = 2;

/**
 * A causal language model of dilated convolutions. Layer k reads a position and the position 2ᵏ
 * before it, so that the logits of a position depend on the last {@link context} tokens.
 */
export class LanguageModel {
  readonly vocabulary: number;
  readonly size: ModelSize;
  /** All learned weights; training writes into them. */
  readonly weights: readonly Weight[];

  constructor(vocabulary: number, size: ModelSize, weights: readonly Weight[]) {
    this.vocabulary = vocabulary;
    this.size = size;
    this.weights = weights;
  }

  static create(vocabulary: number, size: ModelSize, random: Random): LanguageModel {
    const { layers, width } = size;
    const hidden = EXPANSION * width;
    const matrix = (rows: number, columns: number, deviation: number): Weight => ({
      value: Float32Array.from({ length: rows * columns }, () => deviation * random.normal()),
      shape: [rows, columns],
    });
    const layer = () => [
      matrix(width, hidden, 1 / Math.sqrt(width)), // of the earlier position
      matrix(width, hidden, 1 / Math.sqrt(width)),
      matrix(1, hidden, 0),
      matrix(hidden, width, 1 / Math.sqrt(hidden * layers)),
    ];
    return new LanguageModel(vocabulary, size, [
      matrix(vocabulary, width, 1),
      matrix(width, vocabulary, 0.5 / Math.sqrt(width)),
      matrix(1, vocabulary, 0),
      ...Array.from({ length: layers }, layer).flat(),
    ]);
  }

  /** Number of tokens that the logits of a position depend on. */
  get context(): number {
    return 2 ** this.size.layers;
  }

  get parameterCount(): number {
    return this.weights.reduce((sum, { value }) => sum + value.length, 0);
  }

  clone(): LanguageModel {
    const weights = this.weights.map(({ value, shape }) => ({ value: value.slice(), shape }));
    return new LanguageModel(this.vocabulary, this.size, weights);
  }

  /** The weights as tensors, for {@link forward}. */
  tensors(): tf.Tensor2D[] {
    return this.weights.map(({ value, shape }) => tf.tensor2d(value, shape));
  }

  /** Computes the logits of sequences of `length` tokens, [sequences × length, vocabulary]. */
  forward(tokens: Int32Array, length: number, weights: readonly tf.Tensor[]): tf.Tensor2D {
    const [embedding, head, headBias, ...layers] = weights;
    const oneHot = tf.oneHot(tf.tensor1d(tokens, 'int32'), this.vocabulary);
    let stream = tf.matMul(tf.cast(oneHot, 'float32'), embedding!);
    for (let layer = 0; layer < this.size.layers; layer++) {
      const [before, here, bias, contract] = layers.slice(PER_LAYER * layer);
      const past = delay(tf.matMul(stream, before!), 2 ** layer, length);
      const hidden = tf.relu(tf.add(tf.add(past, tf.matMul(stream, here!)), bias!));
      stream = tf.add(stream, tf.matMul(hidden, contract!));
    }
    return tf.add(tf.matMul(stream, head!), headBias!);
  }
}

/** Shifts the rows of each sequence by `positions` towards its end; zeros come first. */
function delay(rows: tf.Tensor, positions: number, length: number): tf.Tensor {
  const [count, width] = rows.shape as [number, number];
  const sequences = tf.reshape(rows, [count / length, length, width]);
  const padded = tf.pad(sequences, [
    [0, 0],
    [positions, 0],
    [0, 0],
  ]);
  return tf.reshape(tf.slice(padded, 0, [count / length, length, width]), [count, width]);
}
