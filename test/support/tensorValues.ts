import { expect } from 'vitest';

/** Values of a sine for a tensor of this shape. All differ, and none is larger than `scale`. */
export function sineValues(shape: readonly number[], phase: number, scale: number): Float32Array {
  const size = shape.reduce((product, length) => product * length, 1);
  return Float32Array.from({ length: size }, (_, i) => scale * Math.sin(12.9898 * i + phase));
}

/**
 * Compares element by element, within a tolerance relative to the largest expected element, or to
 * 1.
 */
export function expectElementsClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  const expectedValues = Array.from(expected);
  const largest = Math.max(1, ...expectedValues.map(Math.abs));
  Array.from(actual).forEach((value, i) => {
    expect(Math.abs(value - expectedValues[i]!)).toBeLessThan(tolerance * largest);
  });
}
