import { describe, expect, test } from 'vitest';
import { selectKernel } from '../../../src/index.js';
import {
  pairProducts,
  sideOf,
  subtractReference,
} from '../../../src/kernels/pairs/pairProducts.js';
import { type Grid, grid } from '../../../src/kernels/products/grid.js';
import { kernels } from '../../support/describeKernels.js';

const ROWS = 40;

function waves(columns: number, offset: number, noise: number): Grid {
  const data = Float32Array.from(
    { length: ROWS * columns },
    (_, i) => Math.sin(i * i) + offset + noise * Math.cos(1.1 * i * i),
  );
  return grid(data, ROWS, columns);
}

/** x xᵀ of the rows, optionally with their mean subtracted. */
function gramOf({ data, rows, columns }: Grid, isCentred: boolean): number[] {
  const x = Array.from(data);
  for (let j = 0; isCentred && j < columns; j++) {
    let mean = 0;
    for (let i = 0; i < rows; i++) mean += data[i * columns + j]! / rows;
    for (let i = 0; i < rows; i++) x[i * columns + j]! -= mean;
  }
  return Array.from({ length: rows * rows }, (_, k) => {
    const [i, j] = [Math.floor(k / rows) * columns, (k % rows) * columns];
    let sum = 0;
    for (let c = 0; c < columns; c++) sum += x[i + c]! * x[j + c]!;
    return sum;
  });
}

/** Squared distances of all rows, which do not change if all rows are shifted. */
function squaresOf(gram: (i: number, j: number) => number): number[] {
  return Array.from({ length: ROWS * ROWS }, (_, k) => {
    const [i, j] = [Math.floor(k / ROWS), k % ROWS];
    return i < j ? gram(i, i) + gram(j, j) - 2 * gram(i, j) : 0;
  });
}

const simd = kernels.filter((kernel) => kernel !== 'scalar');

describe.each(simd)('Products of near rows, %s kernel', (kernel) => {
  test.each([
    [0.1, 64],
    [1e-3, 37],
    [1e-6, 1030],
  ])(
    'are exact to 1e-7 of the distance %d in their difference, for %d columns',
    (noise, columns) => {
      selectKernel(kernel);
      const [student, teacher] = [waves(columns, 0, noise), waves(columns, 0, 0)];
      const { excess, base } = pairProducts(sideOf(student), sideOf(teacher), 'float32');
      selectKernel('auto');
      expect(base).toBe(1);
      const [g, h] = [gramOf(student, false), gramOf(teacher, false)];
      for (let i = 0; i < ROWS; i++) {
        for (let j = i; j < ROWS; j++) {
          const error = excess.products[i * ROWS + j]! - (g[i * ROWS + j]! - h[i * ROWS + j]!);
          expect(Math.abs(error)).toBeLessThan(2e-7 * noise * columns);
        }
      }
    },
  );

  test.each([0.1, 1e-4])(
    "are exact in squared distances at %d after each side's reference is subtracted",
    (noise) => {
      selectKernel(kernel);
      const [student, teacher] = [waves(37, 8, noise), waves(37, 3, 0)];
      const sides = [student, teacher].map((x) => subtractReference(x, 'float32'));
      const { excess, base } = pairProducts(sides[0]!, sides[1]!, 'float32');
      selectKernel('auto');
      expect(base).toBe(1);
      const [g, h] = [gramOf(student, true), gramOf(teacher, true)];
      const exact = squaresOf((i, j) => g[i * ROWS + j]! - h[i * ROWS + j]!);
      const found = squaresOf((i, j) => excess.products[i * ROWS + j]!);
      for (const [k, value] of exact.entries()) {
        expect(Math.abs(found[k]! - value)).toBeLessThan(4e-7 * noise * 37);
      }
    },
  );

  test('are zero in their difference for equal sides, and separate for far sides', () => {
    selectKernel(kernel);
    const [student, teacher] = [waves(64, 0, 0), waves(64, 0, 3)];
    const same = pairProducts(sideOf(student), sideOf(waves(64, 0, 0)), 'float32');
    const far = pairProducts(sideOf(student), sideOf(teacher), 'float32');
    const narrow = pairProducts(sideOf(student), sideOf(waves(60, 0, 0)), 'float32');
    selectKernel('auto');
    expect(same.excess.products.every((value) => value === 0)).toBe(true);
    expect([same.base, far.base, narrow.base]).toEqual([1, 0, 0]);
  });
});
