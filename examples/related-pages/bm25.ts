import { countTexts, countWords } from './words.js';

/**
 * The parameters k₁ and b of BM25: how soon repetitions of a word saturate, and how strongly a
 * text's length counts.
 */
const SATURATION = 2;
const LENGTH = 0.75;

/** Scores each of the texts for a query. */
export type Search = (query: string) => number[];

/**
 * BM25 (Robertson and Zaragoza 2009): sums over the words that query and text share, with more
 * weight for rarer words. A word that the query repeats counts each time.
 */
export function bm25(texts: readonly string[]): Search {
  const found = countTexts(texts);
  const counts = texts.map(countWords);
  const lengths = counts.map((words) => [...words.values()].reduce((sum, count) => sum + count, 0));
  const mean = lengths.reduce((sum, length) => sum + length, 0) / texts.length;
  const rarity = (word: string): number => {
    const holders = found.get(word)!;
    return Math.log(1 + (texts.length - holders + 0.5) / (holders + 0.5));
  };
  return (query) => {
    const asked = [...countWords(query)].filter(([word]) => found.has(word));
    return counts.map((words, text) => {
      const floor = SATURATION * (1 - LENGTH + (LENGTH * lengths[text]!) / mean);
      let score = 0;
      for (const [word, times] of asked) {
        const count = words.get(word) ?? 0;
        score += (times * rarity(word) * count * (SATURATION + 1)) / (count + floor);
      }
      return score;
    });
  };
}
