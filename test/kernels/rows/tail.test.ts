import { expect, test } from 'vitest';
import { tails } from '../../../src/kernels/rows/tail.js';
import { describeKernels } from '../../support/describeKernels.js';

/** log Σ e^(z / T) of the columns that are not kept, and the share of each, one term at a time. */
function reference(row: number[], temperature: number, kept: number[]) {
  const rest = row.map((value, j) => (kept.includes(j) ? -Infinity : value / temperature));
  const max = Math.max(...rest);
  const sum = rest.reduce((total, value) => total + Math.exp(value - max), 0);
  return {
    log: max + Math.log(sum),
    shares: rest.map((value) => Math.exp(value - max) / sum),
  };
}

const row = (columns: number) =>
  Array.from({ length: columns }, (_, j) => Math.fround(5 * Math.sin(3 * j) + Math.cos(j)));

describeKernels('The tail of a row', () => {
  for (const [format, from, tolerance] of [
    ['float32', (values: number[]) => Float32Array.from(values), 1e-6],
    ['float64', (values: number[]) => Float64Array.from(values), 1e-14],
  ] as const) {
    test.each([
      ['few columns', row(3), 1, [1]],
      ['a column that no vector is filled by', row(17), 2, [0, 16]],
      ['several blocks', row(2500), 0.5, [7, 1023, 1024, 2499]],
      ['kept columns far above the others', [1e4, ...row(9), 1e4], 0.05, [0, 10]],
      ['a column that is ruled out', [...row(6), -Infinity], 3, [2]],
      ['a kept column that is ruled out', [...row(6), -Infinity], 3, [6]],
      ['a low row', row(12).map((value) => value - 9000), 100, [3]],
    ] as const)(`${format}: %s`, (_, values, temperature, kept) => {
      const expected = reference([...values], temperature, [...kept]);
      // A row of something else before it shows whether the offset counts.
      const rows = tails(from([...values.map(() => 3), ...values]), values.length);
      const log = rows.read(values.length, temperature, Int32Array.from(kept));
      expect(Math.abs(log - expected.log)).toBeLessThan(tolerance * (1 + Math.abs(expected.log)));
      const spread = rows.spread(-2);
      expect(spread).toHaveLength(values.length);
      for (const [j, share] of expected.shares.entries()) {
        expect(Math.abs(spread[j]! + 2 * share)).toBeLessThan(4 * tolerance);
      }
      for (const column of kept) expect(spread[column]).toBeCloseTo(0, 300);
    });

    test(`${format}: is −Infinity where no class is left, and NaN where a number is NaN`, () => {
      const rows = tails(from([1, -Infinity, -Infinity, 2, Number.NaN, 0]), 3);
      expect(rows.read(0, 1, Int32Array.of(0))).toBe(-Infinity);
      expect([...rows.spread(5)].map(Math.abs)).toEqual([0, 0, 0]);
      expect(rows.read(3, 1, Int32Array.of(0))).toBeNaN();
    });
  }
});
