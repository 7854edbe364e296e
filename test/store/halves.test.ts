import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeHalf } from '../../src/core/half.js';
import { roundToHalf } from '../../src/store/halves.js';

const all = decodeHalf(Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits));

test('every half precision number is rounded to itself', () => {
  const wrong: number[] = [];
  const rounded = all.slice();
  roundToHalf(rounded);
  for (const [bits, value] of all.entries()) {
    if (Number.isNaN(value)) continue;
    if (!Object.is(rounded[bits], value)) wrong.push(bits);
  }
  expect(wrong).toEqual([]);
});

test('a number is rounded to the nearest half, the even one of two', () => {
  const sorted = all.filter((value) => !Number.isNaN(value)).sort();
  fc.assert(
    fc.property(fc.float({ min: -65519, max: 65519, noNaN: true }), (value) => {
      const rounded = Float32Array.of(value);
      roundToHalf(rounded);
      const distance = sorted.reduce(
        (least, half) => Math.min(least, Math.abs(half - value)),
        Infinity,
      );
      expect(Math.abs(rounded[0]! - value)).toBe(distance);
    }),
    { numRuns: 50 },
  );
  const ties = Float32Array.of(1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 65519.996, 65520);
  roundToHalf(ties);
  expect([...ties]).toEqual([1, 1 + 2 ** -9, 0, 65504, Infinity]);
});
