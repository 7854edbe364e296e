import { dot } from '../shared/vectors.js';
import type { Search } from './bm25.js';

/** Number of pages that are shown. */
const SHOWN = 10;

/** Returns the candidates with the largest scores, in descending order. */
export function best(
  scores: ArrayLike<number>,
  candidates: readonly number[],
  count: number = SHOWN,
): number[] {
  return [...candidates].sort((left, right) => scores[right]! - scores[left]!).slice(0, count);
}

/** Scores by the cosine of embeddings of length 1. */
export function searchEmbeddings(
  embed: (text: string) => Float32Array,
  texts: readonly string[],
): Search {
  const rows = texts.map(embed);
  return (query) => similarities(embed(query), rows);
}

/** Returns the inner products of a row with all rows. */
export function similarities(row: Float32Array, rows: readonly Float32Array[]): number[] {
  return rows.map((other) => dot(row, 0, other, 0, row.length));
}

export function rowsOf(values: Float32Array, count: number): Float32Array[] {
  const width = values.length / count;
  return Array.from({ length: count }, (_, row) => values.subarray(row * width, (row + 1) * width));
}

/** Divides rows by their length; a row of zeros stays zero. */
export function toUnit(row: Float32Array): Float32Array {
  const length = Math.hypot(...row) || 1;
  return row.map((value) => value / length);
}
