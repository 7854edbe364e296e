import { addScaled } from '../shared/vectors.js';
import { toUnit } from './ranking.js';
import type { WordVectors } from './student.js';
import { countWords, type Vocabulary, weigh } from './words.js';

/**
 * A student as it is stored, and all that it takes to embed a text: a byte for each number of a
 * word's vector.
 */
export interface StoredStudent {
  readonly words: readonly string[];
  readonly width: number;
  readonly bytes: Int8Array;
  /** What the bytes of each word are multiplied by. */
  readonly scales: Float32Array;
}

/** Rounds each vector to bytes, and has it count as much as its word is rare. */
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

/** Bytes of the vectors and their scales, and of the words with a line end each. */
export function sizeOf({ words, bytes, scales }: StoredStudent): number {
  return bytes.length + scales.byteLength + new TextEncoder().encode(words.join('\n')).length;
}

/**
 * What makes the embedding of a text, of length 1; 0 where it has no word that the student knows.
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
