import type { Random } from '../shared/random.js';
import type { Features, Student } from '../shared/training.js';
import { addScaled } from '../shared/vectors.js';

/** A bag-of-words model: a vector for each word, and a page is the sum of its words' vectors. */
export class WordVectors implements Student {
  readonly classes: number;
  readonly weights: Float32Array;

  /** @param width - width of a word's vector and of a page's embedding */
  constructor(weights: Float32Array, width: number) {
    this.weights = weights;
    this.classes = width;
  }

  static random(words: number, width: number, random: Random): WordVectors {
    const weights = Float32Array.from({ length: words * width }, () => random.normal() / 32);
    return new WordVectors(weights, width);
  }

  forward(samples: readonly Features[]): Float32Array {
    const { weights, classes: width } = this;
    const pages = new Float32Array(samples.length * width);
    samples.forEach(({ indices, values }, page) => {
      indices.forEach((word, k) => {
        addScaled(pages, page * width, values[k]!, weights, word * width, width);
      });
    });
    return pages;
  }

  backward(samples: readonly Features[], gradient: Float32Array): Float32Array {
    const { weights, classes: width } = this;
    const result = new Float32Array(weights.length);
    samples.forEach(({ indices, values }, page) => {
      indices.forEach((word, k) => {
        addScaled(result, word * width, values[k]!, gradient, page * width, width);
      });
    });
    return result;
  }
}
