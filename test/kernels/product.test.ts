import fc from 'fast-check';
import { expect, test } from 'vitest';
import { grid, transpose } from '../../src/kernels/grid.js';
import { addProduct } from '../../src/kernels/product.js';
import { describeKernels } from '../describeKernels.js';

/** Whole numbers, of which every product and sum is exact. */
function whole(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => ((i * 37 + seed * 101) % 15) - 7);
}

/** Σ over k of a[i, k] · b[k, j], one entry at a time. */
function entry(
  a: (i: number, k: number) => number,
  b: (k: number, j: number) => number,
  inner: number,
  i: number,
  j: number,
): number {
  let sum = 0;
  for (let k = 0; k < inner; k++) sum += a(i, k) * b(k, j);
  return sum;
}

describeKernels('A matrix product', () => {
  const sizes = fc.record({
    rows: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(65, 130)),
    inner: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(257, 300)),
    columns: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(129, 200)),
    aTransposed: fc.boolean(),
    bTransposed: fc.boolean(),
  });

  test('is exact for whole numbers, whichever side is transposed, and adds to what is there', () => {
    fc.assert(
      fc.property(sizes, ({ rows, inner, columns, aTransposed, bTransposed }) => {
        const [a, b] = [whole(rows * inner, 1), whole(inner * columns, 2)];
        const left = aTransposed ? transpose(grid(a, inner, rows)) : grid(a, rows, inner);
        const right = bTransposed ? transpose(grid(b, columns, inner)) : grid(b, inner, columns);
        const result = new Float64Array(rows * columns).fill(1);
        addProduct(result, left, right);
        for (const [i, j] of [
          [0, 0],
          [rows - 1, columns - 1],
          [rows >> 1, columns >> 1],
          [rows - 1, 0],
        ] as const) {
          const expected = entry(
            (row, k) => (aTransposed ? a[k * rows + row]! : a[row * inner + k]!),
            (k, column) => (bTransposed ? b[column * inner + k]! : b[k * columns + column]!),
            inner,
            i,
            j,
          );
          expect(result[i * columns + j]).toBe(1 + expected);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('of a matrix with its own transpose is symmetric', () => {
    const [rows, inner] = [70, 300];
    const a = Float32Array.from({ length: rows * inner }, (_, i) => Math.sin(i));
    const gram = new Float64Array(rows * rows);
    addProduct(gram, grid(a, rows, inner), transpose(grid(a, rows, inner)));
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < i; j++) expect(gram[i * rows + j]).toBe(gram[j * rows + i]);
      const exact = entry(
        (row, k) => a[row * inner + k]!,
        (k, row) => a[row * inner + k]!,
        inner,
        i,
        i,
      );
      expect(Math.abs(gram[i * rows + i]! / exact - 1)).toBeLessThan(1e-14);
    }
  });
});
