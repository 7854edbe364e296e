import { expect } from 'vitest';

/** Ordinary values for a tensor of this shape, no two alike. */
export function ordinaryValues(
  shape: readonly number[],
  phase: number,
  scale: number,
): Float32Array {
  const size = shape.reduce((product, length) => product * length, 1);
  return Float32Array.from({ length: size }, (_, i) => scale * Math.sin(12.9898 * i + phase));
}

/** Entry by entry within a tolerance, of the largest entry or of 1. */
export function expectEntriesClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  const [is, should] = [Array.from(actual), Array.from(expected)];
  const largest = Math.max(1, ...should.map(Math.abs));
  is.forEach((value, i) => {
    expect(Math.abs(value - should[i]!)).toBeLessThan(tolerance * largest);
  });
}
