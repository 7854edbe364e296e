import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeHalf, HALF, roundTo } from '../../src/core/half.js';

/** IEEE 754: a sign, 5 bits of exponent, 10 bits of fraction. */
function ieee(bits: number): number {
  const sign = bits >> 15 === 1 ? -1 : 1;
  const exponent = (bits >> 10) & 0b11111;
  const fraction = (bits & 0b11_1111_1111) / 1024;
  if (exponent === 0b11111) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -14 : sign * (1 + fraction) * 2 ** (exponent - 15);
}

const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

test('decodes values that were computed by hand', () => {
  const bits = [0x3c00, 0xc000, 0x3555, 0x7bff, 0x0400, 0x0001, 0x7c00, 0xfc00, 0x8000, 0x7e00];
  const values = [1, -2, 0.333251953125, 65504, 2 ** -14, 2 ** -24, Infinity, -Infinity, -0, NaN];
  expect([...decodeHalf(Uint16Array.from(bits))]).toEqual(values);
});

test('decodes every bit pattern', () => {
  expect(decodeHalf(all)).toEqual(Float32Array.from(all, ieee));
});

test('agrees with the Float16Array of the platform, if it has one', () => {
  if (!('Float16Array' in globalThis)) return;
  const { Float16Array } = globalThis as unknown as {
    Float16Array: new (buffer: ArrayBuffer) => ArrayLike<number>;
  };
  expect(decodeHalf(all)).toEqual(Float32Array.from(new Float16Array(all.buffer)));
});

const halves = decodeHalf(all);

test('rounds every half precision number to itself', () => {
  expect(halves.map((value) => roundTo(value, HALF))).toEqual(halves);
});

test('rounds to the nearest half precision number, ties to even', () => {
  const finite = halves.filter((value) => Number.isFinite(value));
  fc.assert(
    fc.property(fc.float({ min: -65519, max: 65519, noNaN: true }), (value) => {
      const distance = finite.reduce(
        (least, half) => Math.min(least, Math.abs(half - value)),
        Infinity,
      );
      expect(Math.abs(roundTo(value, HALF) - value)).toBe(distance);
    }),
    { numRuns: 50 },
  );
  const ties = [1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, -(2 ** -25), 65519.996, 65520, -65520];
  const rounded = [1, 1 + 2 ** -9, 0, -0, 65504, Infinity, -Infinity];
  expect(ties.map((value) => roundTo(value, HALF))).toEqual(rounded);
});
