import type { Features } from '../shared/training.js';

/** Returns the words of a text in lower case: a letter, then letters and digits. */
function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z][a-z0-9]+/g) ?? [];
}

/** Counts the occurrences of each word in a text. */
export function countWords(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** Counts the texts that contain each word. */
export function countTexts(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of new Set(wordsOf(text))) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

/**
 * Returns the weight of a word that occurs `count` times in a text; repetitions add less and less.
 */
export function weigh(count: number): number {
  return 1 + Math.log(count);
}

/** Words with their index and their inverse document frequency. */
export type Vocabulary = ReadonlyMap<string, { readonly place: number; readonly rarity: number }>;

/** Returns the words that occur in at least `least` of the texts. */
export function vocabularyOf(texts: readonly string[], least: number): Vocabulary {
  const frequent = [...countTexts(texts)].filter(([, count]) => count >= least);
  return new Map(
    frequent.map(([word, count], place) => [
      word,
      { place, rarity: Math.log(texts.length / count) },
    ]),
  );
}

/** Returns log tf · idf of the words of a text that are in the vocabulary, scaled to length 1. */
export function featuresOf(text: string, vocabulary: Vocabulary): Features {
  const entries = [...countWords(text)].flatMap(([word, count]) => {
    const known = vocabulary.get(word);
    return known ? [{ place: known.place, value: weigh(count) * known.rarity }] : [];
  });
  const length = Math.hypot(...entries.map(({ value }) => value)) || 1;
  return {
    indices: entries.map(({ place }) => place),
    values: entries.map(({ value }) => value / length),
  };
}
