import type { Random } from './random.js';
import type { Features, Student } from './training.js';
import { addScaled, dot } from './vectors.js';

/** Layers of a batch, a row for each sample. */
export interface Layers {
  readonly hidden: Float32Array;
  readonly logits: Float32Array;
}

/** A network with one hidden layer of rectified linear units. */
export class HiddenLayerStudent implements Student {
  readonly features: number;
  readonly units: number;
  readonly classes: number;
  /** Weights: for each layer, a row for each input, and a row of biases. */
  readonly weights: Float32Array;

  constructor(features: number, units: number, classes: number, random: Random) {
    this.features = features;
    this.units = units;
    this.classes = classes;
    this.weights = new Float32Array((features + 1) * units + (units + 1) * classes);
    const { first, second } = this.#layersOf(this.weights);
    const fill = (weights: Float32Array, inputs: number) => {
      for (let i = 0; i < weights.length; i++) {
        weights[i] = random.normal() * Math.sqrt(2 / inputs);
      }
    };
    fill(first.subarray(0, features * units), features);
    fill(second.subarray(0, units * classes), units);
  }

  forward(samples: readonly Features[]): Float32Array {
    return this.computeLayers(samples).logits;
  }

  computeLayers(samples: readonly Features[]): Layers {
    const { features, units, classes } = this;
    const { first, second } = this.#layersOf(this.weights);
    const hidden = new Float32Array(samples.length * units);
    const logits = new Float32Array(samples.length * classes);
    samples.forEach(({ indices, values }, row) => {
      const activations = rowOf(hidden, row, units);
      const outputs = rowOf(logits, row, classes);
      activations.set(rowOf(first, features, units));
      outputs.set(rowOf(second, units, classes));
      indices.forEach((feature, position) => {
        addScaled(activations, 0, values[position]!, first, feature * units, units);
      });
      activations.forEach((sum, unit) => {
        activations[unit] = Math.max(sum, 0);
        addScaled(outputs, 0, activations[unit]!, second, unit * classes, classes);
      });
    });
    return { hidden, logits };
  }

  /**
   * Returns d loss / d weights, from d loss / d logits and, for a loss that reads the hidden layer,
   * d loss / d hidden.
   */
  backward(
    samples: readonly Features[],
    logitGradient: Float32Array,
    hiddenGradient?: Float32Array,
  ): Float32Array {
    const { features, units, classes } = this;
    const { second } = this.#layersOf(this.weights);
    const gradient = new Float32Array(this.weights.length);
    const { first: firstGradient, second: secondGradient } = this.#layersOf(gradient);
    const { hidden } = this.computeLayers(samples);
    samples.forEach(({ indices, values }, row) => {
      const slopes = rowOf(logitGradient, row, classes);
      const unitSlopes = new Float32Array(units);
      if (hiddenGradient) unitSlopes.set(rowOf(hiddenGradient, row, units));
      rowOf(hidden, row, units).forEach((activation, unit) => {
        addScaled(secondGradient, unit * classes, activation, slopes, 0, classes);
        unitSlopes[unit]! += dot(slopes, 0, second, unit * classes, classes);
        if (activation === 0) unitSlopes[unit] = 0;
      });
      addScaled(secondGradient, units * classes, 1, slopes, 0, classes);
      indices.forEach((feature, position) => {
        addScaled(firstGradient, feature * units, values[position]!, unitSlopes, 0, units);
      });
      addScaled(firstGradient, features * units, 1, unitSlopes, 0, units);
    });
    return gradient;
  }

  /** Returns the layers as views of the weights or of their gradient. */
  #layersOf(weights: Float32Array): { first: Float32Array; second: Float32Array } {
    const end = (this.features + 1) * this.units;
    return { first: weights.subarray(0, end), second: weights.subarray(end) };
  }
}

function rowOf(values: Float32Array, row: number, columns: number): Float32Array {
  return values.subarray(row * columns, (row + 1) * columns);
}
