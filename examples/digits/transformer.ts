import * as tf from '@tensorflow/tfjs-core';
import { Random } from '../shared/random.js';
import { CLASSES } from './data.js';
import { PATCH_PIXELS, TOKENS } from './images.js';

export interface TransformerConfig {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly hiddenWidth: number;
}

/** The outputs that distillation compares, all from one forward pass over B images. */
export interface TransformerOutputs extends tf.NamedTensorMap {
  /** Class logits, [B, CLASSES]. */
  output: tf.Tensor;
  /**
   * Attention scores of the first layer, before the softmax over keys, [B, heads, TOKENS, TOKENS].
   */
  attention: tf.Tensor;
  /** Hidden state of every token after the last layer, normalized, [B · TOKENS, width]. */
  features: tf.Tensor;
}

/**
 * A small pre-norm vision transformer. The teacher and the students are instances of this class
 * with different sizes.
 */
export class Transformer {
  readonly weights: Readonly<Record<string, tf.Variable>>;

  constructor(
    readonly config: TransformerConfig,
    seed: number,
  ) {
    const { layers, width, hiddenWidth } = config;
    const random = new Random(seed, 'weights');
    const weights: Record<string, tf.Variable> = {};
    const add = (name: string, rows: number, columns: number, deviation: number): void => {
      const values = Float32Array.from(
        { length: rows * columns },
        () => deviation * random.normal(),
      );
      weights[name] = tf.tidy(() => tf.variable(tf.tensor2d(values, [rows, columns])));
    };
    const addMatrix = (name: string, rows: number, columns: number, gain = 1): void =>
      add(name, rows, columns, gain / Math.sqrt(rows));
    // The matrices that write into the residual stream start small, so that depth does not change
    // its scale.
    const branchGain = 1 / Math.sqrt(2 * layers);
    addMatrix('patch', PATCH_PIXELS, width);
    add('position', TOKENS, width, 0.5);
    for (let layer = 0; layer < layers; layer++) {
      addMatrix(`${layer}.queryKeyValue`, width, 3 * width);
      addMatrix(`${layer}.attended`, width, width, branchGain);
      addMatrix(`${layer}.expand`, width, hiddenWidth, Math.SQRT2);
      addMatrix(`${layer}.contract`, hiddenWidth, width, branchGain);
    }
    addMatrix('head', width, CLASSES);
    add('headBias', 1, CLASSES, 0);
    this.weights = weights;
  }

  get parameterCount(): number {
    return Object.values(this.weights).reduce((sum, weight) => sum + weight.size, 0);
  }

  /** All weights, one matrix after the other. */
  get values(): Float32Array {
    const matrices = Object.values(this.weights).map((weight) => weight.dataSync<'float32'>());
    return Float32Array.from(matrices.flatMap((values) => [...values]));
  }

  set values(values: Float32Array) {
    if (values.length !== this.parameterCount) {
      throw new RangeError(`${values.length} weights, expected ${this.parameterCount}`);
    }
    let start = 0;
    for (const weight of Object.values(this.weights)) {
      const matrix = values.subarray(start, start + weight.size);
      tf.tidy(() => weight.assign(tf.tensor(matrix, weight.shape)));
      start += weight.size;
    }
  }

  /** Runs a forward pass of images, [B, PIXELS], in patch order. */
  forward(images: tf.Tensor): TransformerOutputs {
    const { layers, width } = this.config;
    const batch = images.shape[0]!;
    const patches = this.#multiply(tf.reshape(images, [batch * TOKENS, PATCH_PIXELS]), 'patch');
    const placed = tf.add(tf.reshape(patches, [batch, TOKENS, width]), this.#weight('position'));
    let stream = tf.reshape(placed, [batch * TOKENS, width]);
    let attention: tf.Tensor | undefined;
    for (let layer = 0; layer < layers; layer++) {
      const { scores, attended } = this.#attend(normalize(stream), layer);
      attention ??= scores;
      stream = tf.add(stream, attended);
      const hidden = tf.relu(this.#multiply(normalize(stream), `${layer}.expand`));
      stream = tf.add(stream, this.#multiply(hidden, `${layer}.contract`));
    }
    const features = normalize(stream);
    const pooled = tf.mean(tf.reshape(features, [batch, TOKENS, width]), 1);
    const output = tf.add(this.#multiply(pooled, 'head'), this.#weight('headBias'));
    return { output, attention: attention!, features };
  }

  dispose(): void {
    tf.dispose(Object.values(this.weights));
  }

  #attend(tokens: tf.Tensor, layer: number): { scores: tf.Tensor; attended: tf.Tensor } {
    const { width, heads } = this.config;
    const headWidth = width / heads;
    const splitHeads = (values: tf.Tensor): tf.Tensor =>
      tf.transpose(tf.reshape(values, [-1, TOKENS, heads, headWidth]), [0, 2, 1, 3]);
    const projected = this.#multiply(tokens, `${layer}.queryKeyValue`);
    const [query, key, value] = tf.split(projected, 3, 1).map(splitHeads);
    const scores = tf.mul(tf.matMul(query!, key!, false, true), 1 / Math.sqrt(headWidth));
    const mixed = tf.transpose(tf.matMul(tf.softmax(scores), value!), [0, 2, 1, 3]);
    const attended = this.#multiply(tf.reshape(mixed, [-1, width]), `${layer}.attended`);
    return { scores, attended };
  }

  #multiply(input: tf.Tensor, name: string): tf.Tensor {
    return tf.matMul(input, this.#weight(name));
  }

  #weight(name: string): tf.Variable {
    return this.weights[name]!;
  }
}

/**
 * Divides every row by its root mean square. There is no learned gain, since the matrix that
 * follows can absorb it.
 */
function normalize(input: tf.Tensor): tf.Tensor {
  const meanSquare = tf.mean(tf.square(input), 1, true);
  return tf.mul(input, tf.rsqrt(tf.add(meanSquare, 1e-5)));
}
