import { TOKENS } from '../../digits/images.js';

export const HEADS = 2;

/** Returns the map [TOKENS, TOKENS] of one head from [heads, TOKENS, TOKENS]. */
export function mapOf(attention: Float32Array, head: number): Float32Array {
  return attention.subarray(head * TOKENS ** 2, (head + 1) * TOKENS ** 2);
}

/**
 * Returns the overlap of the attention of two models for one image, in [0, 1], for each head:
 * Σ min(p, q), averaged over the rows.
 */
export function overlapsOf(left: Float32Array, right: Float32Array): number[] {
  return Array.from({ length: HEADS }, (_, head) => {
    const other = mapOf(right, head);
    const sum = mapOf(left, head).reduce(
      (total, value, index) => total + Math.min(value, other[index]!),
      0,
    );
    return sum / TOKENS;
  });
}
