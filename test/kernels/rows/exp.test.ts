import { expect, test } from 'vitest';
import { exponentials } from '../../../src/kernels/rows/exp.js';

function exp(...z: number[]): Float64Array {
  return expOf(Float64Array.from(z));
}

function expOf(z: Float64Array): Float64Array {
  const e = new Float64Array(z.length);
  exponentials(z, 0, 0, e);
  return e;
}

test('exponentials agree with Math.exp from 0 down to the smallest normal number, most closely near 0', () => {
  const z = Float64Array.from({ length: 200_000 }, (_, i) => -708 * (i / 200_000) ** 3);
  const e = expOf(z);
  let worst = 0;
  e.forEach((value, i) => {
    const bound = 3e-16 + 2e-16 * Math.abs(z[i]!);
    worst = Math.max(worst, Math.abs(value / Math.exp(z[i]!) - 1) / bound);
  });
  expect(worst).toBeLessThan(1);
  expect(worst).toBeGreaterThan(0); // values were compared
});

test('exponentials of 0, of −Infinity and of NaN are exact', () => {
  expect(exp(0, -0, -1e-300)).toEqual(Float64Array.of(1, 1, 1));
  expect(exp(-Infinity, -746, -1e308)).toEqual(Float64Array.of(0, 0, 0));
  expect(exp(Number.NaN)[0]).toBeNaN();
});

test('exponentials agree with Math.exp through the subnormal numbers down to 0', () => {
  // Densely near the smallest number, coarsely before it.
  const dense = Array.from({ length: 20_001 }, (_, i) => -744 - i / 10_000);
  const z = [...Array.from({ length: 400 }, (_, i) => -708 - i / 10), ...dense];
  const e = expOf(Float64Array.from(z));
  e.forEach((value, i) => {
    expect(Math.abs(value - Math.exp(z[i]!))).toBeLessThanOrEqual(2 ** -1022 * 2e-13 + 2 ** -1074);
  });
});

test('exponentials come with their sum', () => {
  const e = new Float64Array(3);
  expect(exponentials(Float64Array.of(0, -Infinity, 0), 0, 0, e)).toBe(2);
});
