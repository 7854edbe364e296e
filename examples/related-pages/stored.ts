import { addScaled } from '../shared/vectors.js';
import { toUnit } from './ranking.js';
import type { WordVectors } from './student.js';
import { countWords, type Vocabulary, weigh } from './words.js';

/**
 * A stored student, which is all that embedding a text needs. Word vectors are quantized to bytes.
 */
export interface StoredStudent {
  readonly words: readonly string[];
  readonly width: number;
  readonly bytes: Int8Array;
  /** Factor of each word's bytes. */
  readonly scales: Float32Array;
}

/** Quantizes each vector to bytes, and multiplies its scale by the rarity of its word. */
export function store(
  { weights, classes: width }: WordVectors,
  vocabulary: Vocabulary,
): StoredStudent {
  const words = [...vocabulary.keys()];
  const bytes = new Int8Array(weights.length);
  const scales = new Float32Array(words.length);
  for (const { place, rarity } of vocabulary.values()) {
    const vector = weights.subarray(place * width, (place + 1) * width);
    const step = Math.max(...vector.map(Math.abs)) / 127;
    scales[place] = step * rarity;
    bytes.set(
      vector.map((value) => Math.round(value / (step || 1))),
      place * width,
    );
  }
  return { words, width, bytes, scales };
}

/** Returns the bytes of vectors, scales and words, with a line break between words. */
export function sizeOf({ words, bytes, scales }: StoredStudent): number {
  return bytes.length + scales.byteLength + new TextEncoder().encode(words.join('\n')).length;
}

/**
 * Returns a function that embeds texts. An embedding has length 1, or is 0 for a text without known
 * words.
 */
export function embedder({
  words,
  width,
  bytes,
  scales,
}: StoredStudent): (text: string) => Float32Array {
  const places = new Map(words.map((word, place) => [word, place]));
  return (text) => {
    const sum = new Float32Array(width);
    for (const [word, count] of countWords(text)) {
      const place = places.get(word);
      if (place === undefined) continue;
      addScaled(sum, 0, weigh(count) * scales[place]!, bytes, place * width, width);
    }
    return toUnit(sum);
  };
}
