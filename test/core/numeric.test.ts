import { describe, expect, test } from 'vitest';
import { float32, float64 } from '../../src/index.js';

describe.each([
  [float32, Float32Array, 4],
  [float64, Float64Array, 8],
] as const)('$dtype', (numeric, FloatArray, bytes) => {
  test('allocates zeros of its array type', () => {
    const zeros = numeric.allocate(3);
    expect(zeros).toBeInstanceOf(FloatArray);
    expect([...zeros]).toEqual([0, 0, 0]);
    expect(numeric.bytesPerElement).toBe(bytes);
    expect(zeros.BYTES_PER_ELEMENT).toBe(bytes);
  });

  test('copies values and rounds them', () => {
    const source = [0.1, 1 / 3, -2];
    const copy = numeric.from(source);
    expect([...copy]).toEqual(source.map(numeric.round));
    const twice = numeric.from(copy);
    twice[0] = 9;
    expect(copy[0]).toBe(numeric.round(0.1));
  });

  test('has the spacing of numbers at 1 as its epsilon', () => {
    expect(numeric.round(1 + numeric.epsilon)).toBe(1 + numeric.epsilon);
    expect(numeric.round(1 + numeric.epsilon / 2)).toBe(1);
  });

  test('has the largest finite number as its largest value', () => {
    expect(numeric.round(numeric.largest)).toBe(numeric.largest);
    expect(numeric.round(numeric.largest * (1 + numeric.epsilon))).toBe(Infinity);
  });
});
