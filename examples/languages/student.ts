import type { Features, Student } from '../shared/training.js';

const FEATURES = 1024;

/** Letters and pairs of letters, counted in as many places as a hash finds for them; a vector of length 1. */
export function featuresOf(text: string): Features {
  const characters = [...` ${text.toLowerCase()} `];
  const counts = new Map<number, number>();
  characters.forEach((character, position) => {
    for (const ngram of [character, character + (characters[position + 1] ?? '')]) {
      const place = hash(ngram) % FEATURES;
      counts.set(place, (counts.get(place) ?? 0) + 1);
    }
  });
  const length = Math.hypot(...counts.values());
  return { indices: [...counts.keys()], values: [...counts.values()].map((x) => x / length) };
}

/** FNV-1a. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    state = Math.imul(state ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return state;
}

/** A linear model: a weight for each feature and class, and one for each class. */
export class LinearStudent implements Student {
  readonly classes: number;
  /** The last row is the bias. */
  readonly weights: Float32Array;

  constructor(classes: number) {
    this.classes = classes;
    this.weights = new Float32Array((FEATURES + 1) * classes);
  }

  /** The logits of each sentence, one row after the other. */
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

  /** d loss / d weights, from d loss / d logits. */
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
