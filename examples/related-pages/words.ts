import type { Features } from '../shared/training.js';

/** The words of a text: letters and digits from a letter on, in lower case. */
function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z][a-z0-9]+/g) ?? [];
}

/** How often each word is in a text. */
export function countWords(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** In how many of the texts each word is. */
export function countTexts(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of new Set(wordsOf(text))) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

/** What a word counts that is in a text n times: the second time adds less than the first. */
export function weigh(count: number): number {
  return 1 + Math.log(count);
}

/** Words, each with its place and with what it says about a text: more the fewer texts it is in. */
export type Vocabulary = ReadonlyMap<string, { readonly place: number; readonly rarity: number }>;

/** The words that are in at least `least` of the texts. */
export function vocabularyOf(texts: readonly string[], least: number): Vocabulary {
  const frequent = [...countTexts(texts)].filter(([, count]) => count >= least);
  return new Map(
    frequent.map(([word, count], place) => [
      word,
      { place, rarity: Math.log(texts.length / count) },
    ]),
  );
}

/** log tf · idf of the words of a text that are in the vocabulary, at length 1. */
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
