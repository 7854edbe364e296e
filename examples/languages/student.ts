import { countNgrams } from '../shared/ngrams.js';
import type { Features, Student } from '../shared/training.js';

const FEATURES = 1024;

/** Returns the features of a sentence: counts of its characters and pairs of characters. */
export function featuresOf(text: string): Features {
  return countNgrams(` ${text.toLowerCase()} `, 2, FEATURES);
}

/** A linear model: a weight for each feature and class, and a bias for each class. */
export class LinearStudent implements Student {
  readonly classes: number;
  /** Weights, one row per feature; the last row is the bias. */
  readonly weights: Float32Array;

  constructor(classes: number) {
    this.classes = classes;
    this.weights = new Float32Array((FEATURES + 1) * classes);
  }

  /** Returns the logits of each sentence, one row after the other. */
  forward(sentences: readonly Features[]): Float32Array {
    const { classes, weights } = this;
    const logits = new Float32Array(sentences.length * classes);
    sentences.forEach((sentence, row) => {
      eachFeature(sentence, (feature, value) => {
        for (let j = 0; j < classes; j++) {
          logits[row * classes + j]! += value * weights[feature * classes + j]!;
        }
      });
    });
    return logits;
  }

  /** Returns d loss / d weights, from d loss / d logits. */
  backward(sentences: readonly Features[], logitGradient: Float32Array): Float32Array {
    const { classes, weights } = this;
    const gradient = new Float32Array(weights.length);
    sentences.forEach((sentence, row) => {
      eachFeature(sentence, (feature, value) => {
        for (let j = 0; j < classes; j++) {
          gradient[feature * classes + j]! += value * logitGradient[row * classes + j]!;
        }
      });
    });
    return gradient;
  }
}

function eachFeature(
  { indices, values }: Features,
  visit: (feature: number, value: number) => void,
): void {
  indices.forEach((feature, position) => {
    visit(feature, values[position]!);
  });
  visit(FEATURES, 1);
}
