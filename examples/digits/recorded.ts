import * as tf from '@tensorflow/tfjs-core';
import { type LayerOutputs, Matrix } from 'knowledge-distillation';
import { gatherRows } from '../shared/batches.js';
import { PIXELS } from './images.js';
import type { Transformer } from './transformer.js';

interface RecordedLayer {
  readonly values: Float32Array;
  readonly valuesPerImage: number;
  readonly columns: number;
}

/**
 * The layers of a trained model for a fixed set of images. They are computed once, and every batch
 * of every student reads them.
 */
export class RecordedOutputs {
  readonly #layers = new Map<string, RecordedLayer>();

  constructor(model: Transformer, images: Float32Array) {
    const count = images.length / PIXELS;
    const chunk = 500;
    for (let start = 0; start < count; start += chunk) {
      const pixels = images.subarray(start * PIXELS, (start + chunk) * PIXELS);
      const size = pixels.length / PIXELS;
      const outputs = tf.tidy(() => model.forward(tf.tensor2d(pixels, [size, PIXELS])));
      for (const [name, tensor] of Object.entries(outputs)) {
        const { data, columns } = Matrix.fromTensor({
          data: tensor.dataSync<'float32'>(),
          shape: tensor.shape,
        });
        const layer = this.#layers.get(name) ?? {
          values: new Float32Array((data.length / size) * count),
          valuesPerImage: data.length / size,
          columns,
        };
        layer.values.set(data, start * layer.valuesPerImage);
        this.#layers.set(name, layer);
      }
      tf.dispose(outputs);
    }
  }

  /** Computes every layer for all images. */
  get layers(): LayerOutputs {
    const layers = [...this.#layers].map(([name, { values, columns }]) => {
      return [name, new Matrix(values, values.length / columns, columns)] as const;
    });
    return Object.fromEntries(layers);
  }

  /** Returns every layer for the images `indices`. */
  of(indices: Int32Array): LayerOutputs {
    const layers: Record<string, Matrix> = {};
    for (const [name, { values, valuesPerImage, columns }] of this.#layers) {
      const gathered = gatherRows(values, valuesPerImage, indices);
      layers[name] = new Matrix(gathered, gathered.length / columns, columns);
    }
    return layers;
  }
}
