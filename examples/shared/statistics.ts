import type { FloatArray } from 'knowledge-distillation';

/** Returns mean and sample standard deviation; the deviation is NaN for a single value. */
export function summarize(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/** Returns the fraction of elements that are equal in both arrays. */
export function agreement(left: Int32Array, right: Int32Array): number {
  return left.filter((value, index) => value === right[index]).length / left.length;
}

/** Returns the most likely class of every row of `classes` logits. */
export function mostLikely(logits: FloatArray, classes: number): Int32Array {
  return Int32Array.from({ length: logits.length / classes }, (_, row) =>
    mostLikelyOf(logits.subarray(row * classes, (row + 1) * classes)),
  );
}

/** Returns the most likely class by the logits or probabilities of one row. */
export function mostLikelyOf(scores: FloatArray): number {
  return scores.indexOf(Math.max(...scores));
}
