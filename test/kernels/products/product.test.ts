import fc from 'fast-check';
import { expect, test } from 'vitest';
import { grid, transpose } from '../../../src/kernels/products/grid.js';
import { addProduct, putProduct, valuesOf } from '../../../src/kernels/products/product.js';
import { describeKernels } from '../../support/describeKernels.js';

/** Integers whose products and sums are exact. */
function whole(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => ((i * 37 + seed * 101) % 15) - 7);
}

/** Σ over k of a[i, k] · b[k, j], one element at a time. */
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
    rows: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(65, 130)),
    inner: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(32, 33, 257, 300)),
    columns: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(129, 200)),
    precision: fc.constantFrom('float32', 'float64'),
    aTransposed: fc.boolean(),
    bTransposed: fc.boolean(),
  });

  const large = { rows: 515, inner: 270, columns: 523 };

  test('is exact for integers, with either side transposed, and accumulates', () => {
    fc.assert(
      fc.property(sizes, ({ rows, inner, columns, precision, aTransposed, bTransposed }) => {
        const [a, b] = [whole(rows * inner, 1), whole(inner * columns, 2)];
        const left = aTransposed ? transpose(grid(a, inner, rows)) : grid(a, rows, inner);
        const right = bTransposed ? transpose(grid(b, columns, inner)) : grid(b, inner, columns);
        const result = new Float64Array(rows * columns).fill(1);
        addProduct(result, left, right, precision);
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
      {
        numRuns: 60,
        examples: [
          // More than one block in each dimension.
          [{ ...large, precision: 'float32', aTransposed: false, bTransposed: true }],
          [{ ...large, precision: 'float64', aTransposed: true, bTransposed: false }],
        ],
      },
    );
  });

  /**
   * Largest error of a product of positive elements, relative to each element. Positive elements
   * are the worst case for sums.
   */
  function worst(precision: 'float32' | 'float64', scale: number): number {
    const [rows, inner, columns] = [20, 2100, 12];
    const numbers = (length: number, seed: number) =>
      Float32Array.from({ length }, (_, i) => scale * (1.5 + Math.sin(seed * (i + 1))));
    const [a, b] = [numbers(rows * inner, 1), numbers(inner * columns, 3)];
    const result = new Float64Array(rows * columns);
    addProduct(result, grid(a, rows, inner), grid(b, inner, columns), precision);
    let error = 0;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const exact = entry(
          (row, k) => a[row * inner + k]!,
          (k, column) => b[k * columns + column]!,
          inner,
          i,
          j,
        );
        error = Math.max(error, Math.abs(result[i * columns + j]! / exact - 1));
      }
    }
    return error;
  }

  test.each([
    ['float64', 1, 1e-14],
    ['float32', 1, 3e-7],
    // Products that overflow float32 are computed in float64.
    ['float32', 1e25, 1e-14],
    ['float32', 1e-20, 1e-14],
  ] as const)(
    'in %s of elements near %d has a relative error below %d',
    (precision, scale, bound) => {
      expect(worst(precision, scale)).toBeLessThan(bound);
    },
  );

  test('keeps a relative error below 2e-6 where the first term of a sum nearly absorbs the others', () => {
    const size = 32;
    const a = Float64Array.from({ length: size * size }, (_, k) =>
      k % size === 0 ? 1 : 0.99 * 2 ** -24,
    );
    const b = new Float32Array(size * size).fill(1);
    const result = new Float64Array(size * size);
    addProduct(result, grid(a, size, size), grid(b, size, size), 'float32');
    const exact = 1 + (size - 1) * 0.99 * 2 ** -24;
    for (const value of result) expect(Math.abs(value / exact - 1)).toBeLessThan(2e-6);
  });

  test('keeps the precision of a row that underflows float32 beside an ordinary row', () => {
    const size = 16;
    const a = Float64Array.from({ length: size * size }, (_, k) =>
      k < size ? 1 : 1e-43 * (1 + k),
    );
    const b = new Float32Array(size * size).fill(1e20);
    const result = new Float64Array(size * size);
    const exact = new Float64Array(size * size);
    addProduct(result, grid(a, size, size), grid(b, size, size), 'float32');
    addProduct(exact, grid(a, size, size), grid(b, size, size));
    for (const [k, value] of result.entries()) {
      expect(Math.abs(value / exact[k]! - 1)).toBeLessThan(3e-7);
    }
  });

  test.each([
    ['float64', 1e-14],
    ['float32', 3e-7],
  ] as const)('in %s of a matrix with its own transpose is symmetric', (precision, bound) => {
    const [rows, inner] = [530, 300];
    const a = Float32Array.from({ length: rows * inner }, (_, i) => Math.sin(i));
    const gram = new Float64Array(rows * rows).fill(1);
    addProduct(gram, grid(a, rows, inner), transpose(grid(a, rows, inner)), precision);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < i; j++) {
        if (gram[i * rows + j] !== gram[j * rows + i]) expect([i, j]).toBe('symmetric');
      }
      const at = (row: number, k: number) => a[row * inner + k]!;
      const exact = 1 + entry(at, (k, row) => at(row, k), inner, i, i);
      expect(Math.abs(gram[i * rows + i]! / exact - 1)).toBeLessThan(bound);
      const other = 1 + entry(at, (k, row) => at(row, k), inner, i, 0);
      expect(Math.abs(gram[i * rows]! - other)).toBeLessThan(bound * inner);
    }
  });
});

describeKernels('A product that is written into rows', () => {
  test.each([
    ['float32', 1],
    ['float32', 3],
    ['float64', 1],
  ] as const)(
    'has the bits of its float64 sums, rounded once: %s, times %d',
    (precision, scale) => {
      const numbers = (length: number, seed: number) => {
        const values = Float64Array.from({ length }, (_, i) => Math.sin(seed * (i + 1)));
        return precision === 'float32' ? Float32Array.from(values) : values;
      };
      for (const [rows, inner, columns] of [
        [3, 5, 7],
        [9, 300, 33],
        [20, 12, 1100],
      ] as const) {
        const a = grid(numbers(rows * inner, 1), rows, inner);
        const b = grid(numbers(inner * columns, 2), inner, columns);
        // With other rows between the rows of the output.
        const order = Array.from({ length: rows }, (_, i) => 2 * (rows - 1 - i));
        const before = numbers(2 * rows * columns, 3);
        for (const adds of [true, false]) {
          const data = before.slice();
          putProduct({ data, scale, adds }, order, { a, b, precision });
          const expected = before.slice();
          for (const [k, sum] of valuesOf({ a, b, precision }).entries()) {
            const at = order[Math.floor(k / columns)]! * columns + (k % columns);
            expected[at] = (adds ? before[at]! : 0) + scale * sum;
          }
          expect(data).toEqual(expected);
        }
      }
    },
  );
});
