import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { float64, type Matrix, MatrixArena, selectKernel } from '../../../src/index.js';
import { type Grid, grid, transpose } from '../../../src/kernels/products/grid.js';
import { putInPlace } from '../../../src/kernels/products/productInPlace.js';
import { kernels } from '../../support/describeKernels.js';

const MIB = 1 << 20;

function fill(matrix: Matrix, elementOf: (i: number) => number): Matrix {
  for (let i = 0; i < matrix.data.length; i++) matrix.data[i] = elementOf(i);
  return matrix;
}

/** Integers whose products and sums are exact. */
const whole = (seed: number) => (i: number) => ((i * 37 + seed * 101) % 15) - 7;

const wave = (phase: number) => (i: number) => Math.sin(3 * i + phase);

function gridOf({ data, rows, columns }: Matrix, isTransposed = false): Grid {
  const given = grid(data, rows, columns);
  return isTransposed ? transpose(given) : given;
}

/** Σ over k of a[i, k] · b[k, j], in float64. */
function element(a: Grid, b: Grid, i: number, j: number): number {
  let sum = 0;
  for (let k = 0; k < a.columns; k++) {
    const left = a.data[i * a.rowStride + k * a.columnStride]!;
    sum += left * b.data[k * b.rowStride + j * b.columnStride]!;
  }
  return sum;
}

const sizes = fc.record({
  rows: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(127, 130, 257)),
  inner: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(32, 33, 257, 300)),
  columns: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(255, 264, 300)),
  leftTransposed: fc.boolean(),
  rightTransposed: fc.boolean(),
  adds: fc.boolean(),
});

describe.each(kernels.filter((kernel) => kernel !== 'scalar'))('In place, %s kernel', (kernel) => {
  test('a product is exact for integers, and writes nothing outside of its output', () => {
    selectKernel(kernel);
    fc.assert(
      fc.property(sizes, ({ rows, inner, columns, leftTransposed, rightTransposed, adds }) => {
        fc.pre(rows * inner * columns >= 512);
        const arena = new MatrixArena(4 * MIB);
        const zeros = (height: number, width: number, isTransposed: boolean) =>
          isTransposed ? arena.zeros(width, height) : arena.zeros(height, width);
        const left = fill(zeros(rows, inner, leftTransposed), whole(1));
        const right = fill(zeros(inner, columns, rightTransposed), whole(2));
        const target = fill(arena.zeros(rows + 3, columns), () => 5);
        const [a, b] = [gridOf(left, leftTransposed), gridOf(right, rightTransposed)];
        expect(putInPlace({ data: target.data, scale: 1, adds }, 2, a, b)).toBe(true);
        const wrong: string[] = [];
        for (let i = 0; i < target.rows; i++) {
          for (let j = 0; j < columns; j++) {
            const isResult = i >= 2 && i < rows + 2;
            const expected = isResult ? (adds ? 5 : 0) + element(a, b, i - 2, j) : 5;
            if (target.get(i, j) !== expected) wrong.push(`${i}, ${j}: ${target.get(i, j)}`);
          }
        }
        expect(wrong).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test('panels that overflow or underflow float32 are computed in float64', () => {
    selectKernel(kernel);
    const arena = new MatrixArena(4 * MIB);
    const a = gridOf(fill(arena.zeros(20, 300), (i) => 1e-12 * (1 + (i % 7))));
    const right = arena.zeros(300, 40);
    for (let k = 0; k < 300; k++) {
      for (let j = 0; j < 40; j++) {
        const tiny = 1e-28 * (1 + ((k + j) % 5));
        right.set(k, j, j < 8 ? tiny : j === 17 ? (k % 2 ? 3e38 : 1e38) : 1);
      }
    }
    a.data[5] = 3e38; // its products with 3e38 overflow float32, and cancel
    a.data[7] = -3e38;
    const b = gridOf(right);
    const target = arena.zeros(20, 40);
    expect(putInPlace({ data: target.data, scale: 1, adds: false }, 0, a, b)).toBe(true);
    for (let i = 0; i < 20; i++) {
      for (let j = 0; j < 40; j++) {
        const expected = element(a, b, i, j);
        // the sum cancels, and keeps the absolute precision of its terms
        if (i === 0 && j !== 17) continue;
        expect(Math.abs(target.get(i, j) / expected - 1)).toBeLessThan(2e-6);
      }
    }
    expect(target.get(0, 17)).toBeCloseTo(0, -33);
  });

  test('a factor of zeros gives zeros', () => {
    selectKernel(kernel);
    const arena = new MatrixArena(4 * MIB);
    const [a, b] = [gridOf(arena.zeros(20, 30)), gridOf(fill(arena.zeros(30, 40), wave(1)))];
    const target = fill(arena.zeros(20, 40), () => 5);
    expect(putInPlace({ data: target.data, scale: 1, adds: false }, 0, a, b)).toBe(true);
    expect(target.data.every((value) => value === 0)).toBe(true);
  });

  test('a product that cannot be computed in place is left to the caller', () => {
    selectKernel(kernel);
    const arena = new MatrixArena(2 * MIB);
    const [left, right] = [fill(arena.zeros(20, 30), wave(0)), fill(arena.zeros(30, 40), wave(1))];
    const target = fill(arena.zeros(20, 40), () => 5);
    const { free } = arena;
    const put = (a: Grid, b: Grid, { data } = target as { data: Float32Array }, scale = 1) =>
      putInPlace({ data, scale, adds: false }, 0, a, b);
    const [a, b] = [gridOf(left), gridOf(right)];
    expect(put(gridOf(left.clone()), b)).toBe(false);
    expect(put(a, gridOf(right.clone()))).toBe(false);
    expect(put(a, b, target.clone())).toBe(false);
    expect(put(a, b, target, 2)).toBe(false);
    const doubles = grid(arena.zeros(30, 40, float64).data, 30, 40);
    expect(put(a, doubles)).toBe(false);
    const tiny = fill(arena.zeros(20, 30), (i) => (i < 570 ? 1 : 1e-30)); // the last row
    expect(put(gridOf(tiny), b)).toBe(false);
    expect(arena.free).toBe(free - 9600 - 2400);
    arena.zeros(arena.free / 4 - 150_000, 1);
    expect(arena.free).toBeLessThan(663_744);
    expect(put(a, b)).toBe(false);
    expect(target.data.every((value) => value === 5)).toBe(true);
  });
});

describe('The threads of an arena', () => {
  const open: MatrixArena[] = [];
  afterAll(() => {
    for (const arena of open) arena.close();
    selectKernel('auto');
  });

  test('multiply with the bits of one thread, for any split of the columns', async () => {
    selectKernel('auto');
    const results: Float32Array[] = [];
    for (const threads of [1, 2, 3]) {
      const arena = await MatrixArena.withThreads(8 * MIB, threads);
      open.push(arena);
      const left = fill(arena.zeros(300, 140), (i) => Math.cos(i * i));
      const right = fill(arena.zeros(300, 515), (i) => Math.sin(i * i));
      for (let k = 0; k < 300; k++) right.data.fill(1e-30, k * 515 + 255, k * 515 + 262);
      const target = fill(arena.zeros(140, 515), wave(2));
      const place = { data: target.data, scale: 1, adds: true };
      expect(putInPlace(place, 0, gridOf(left, true), gridOf(right))).toBe(true);
      const sum = element(gridOf(left, true), gridOf(right), 139, 514);
      expect(target.get(139, 514)).toBeCloseTo(sum + wave(2)(139 * 515 + 514), 4);
      results.push(target.data.slice());
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });
});
