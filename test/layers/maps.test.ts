import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AttentionTransferDistillationStrategy,
  averageHeads,
  concatenateColumns,
  type FloatArray,
  float32,
  float64,
  type MapSize,
  Matrix,
  poolPositions,
  type RowMap,
  splitColumns,
} from '../../src/index.js';
import { arbitraries } from '../../src/testing/index.js';
import averageHeadsFixture from '../fixtures/functions/averageHeads.json' with { type: 'json' };
import poolPositionsFixture from '../fixtures/functions/poolPositions.json' with { type: 'json' };
import { matrix } from '../support/float64Matrix.js';
import { refusal, wrong } from '../support/refusal.js';

const { features } = arbitraries(fc);

function innerProduct(a: Matrix<Float64Array>, b: Matrix<Float64Array>): number {
  return a.data.reduce((sum, value, i) => sum + value * b.data[i]!, 0);
}

function checkAdjoint(map: RowMap, x: number[][], y: number[][]): void {
  const [left, right] = [matrix(...x), matrix(...y)];
  const mapped = innerProduct(map.apply(left), right);
  expect(mapped).toBeCloseTo(innerProduct(left, map.adjoint(right)), 10);
}

/** Checks that the result is the same in both dtypes, each up to its own rounding. */
function checkFixture(
  map: RowMap,
  golden: { matrix: number[][]; result: number[][]; gradient: number[][]; adjoint: number[][] },
): void {
  for (const numeric of [float64, float32]) {
    const compare = (received: Matrix<FloatArray>, expected: number[][]) => {
      expect([received.rows, received.columns]).toEqual([expected.length, expected[0]!.length]);
      expect(received.numeric).toBe(numeric);
      for (const [i, value] of expected.flat().entries()) {
        const bound = 4 * numeric.epsilon * Math.max(1, Math.abs(value));
        expect(Math.abs(received.data[i]! - value)).toBeLessThanOrEqual(bound);
      }
    };
    const from = (rows: number[][]) => Matrix.fromRows<FloatArray>(rows, numeric);
    compare(map.apply(from(golden.matrix)), golden.result);
    compare(map.adjoint(from(golden.gradient)), golden.adjoint);
  }
}

describe('poolPositions', () => {
  const sizes = fc.record({
    height: fc.integer({ min: 1, max: 7 }),
    width: fc.integer({ min: 1, max: 7 }),
  });

  test.each(poolPositionsFixture.cases)('matches PyTorch on $name', (golden) => {
    const [from, to] = golden.arguments;
    checkFixture(poolPositions(from!, to!), golden);
  });

  test('has an adjoint that is its transpose', () => {
    const areas = ({ height, width }: MapSize) => height * width;
    const calls = fc
      .record({ from: sizes, to: sizes, channels: fc.integer({ min: 1, max: 3 }) })
      .chain(({ from, to, channels }) =>
        fc.record({
          map: fc.constant(poolPositions(from, to)),
          x: features({ rows: 2, columns: channels * areas(from) }),
          y: features({ rows: 2, columns: channels * areas(to) }),
        }),
      );
    fc.assert(
      fc.property(calls, ({ map, x, y }) => checkAdjoint(map, x, y)),
      { includeErrorInReport: true },
    );
  });

  test('averages each channel separately, over overlapping windows where sizes do not divide', () => {
    const pool = poolPositions({ height: 1, width: 3 }, { height: 1, width: 2 });
    const x = matrix([1, 3, 5, 10, 30, 50]);
    expect(pool.apply(x).toRows()).toEqual([[2, 4, 20, 40]]);
    expect(pool.adjoint(matrix([1, 2, 10, 20])).toRows()).toEqual([[0.5, 1.5, 1, 5, 15, 10]]);
    expect(x.toRows()).toEqual([[1, 3, 5, 10, 30, 50]]);
  });

  test('lets a strategy compare maps of different sizes, with a gradient of the original size', () => {
    const size = { height: 3, width: 4 };
    const pool = poolPositions(size, { height: 2, width: 2 });
    const strategy = new AttentionTransferDistillationStrategy<Float64Array>({ channels: 2 });
    const student = matrix(Array.from({ length: 24 }, (_, i) => Math.sin(i + 1)));
    const teacher = matrix([1, 2, -1, 0.5, 0, 1, 3, -2]);
    const gradient = pool.adjoint(strategy.computeGradient(pool.apply(student), teacher));
    const step = 1e-5;
    for (const column of student.row(0).keys()) {
      const lossAt = (move: number) => {
        const moved = student.clone();
        moved.data[column]! += move;
        return strategy.computeLoss(pool.apply(moved), teacher);
      };
      const slope = (lossAt(step) - lossAt(-step)) / (2 * step);
      expect(gradient.get(0, column)).toBeCloseTo(slope, 9);
    }
  });

  test('keeps the elements of one row, NaN included, in that row; no rows give no rows', () => {
    const pool = poolPositions({ height: 1, width: 2 }, { height: 1, width: 1 });
    expect(pool.apply(matrix([Number.NaN, 1], [1, 3])).toRows()).toEqual([[Number.NaN], [2]]);
    expect(pool.apply(Matrix.zeros(0, 4))).toMatchObject({ rows: 0, columns: 2 });
  });

  const size = { height: 2, width: 3 };
  test.each<[string, unknown, unknown, string]>([
    ['WRONG_TYPE', 4, size, 'from'],
    ['WRONG_TYPE', size, undefined, 'to'],
    ['WRONG_TYPE', { height: 2 }, size, 'from.width'],
    ['OUT_OF_RANGE', { height: 0, width: 3 }, size, 'from.height'],
    ['OUT_OF_RANGE', size, { height: 2, width: 1.5 }, 'to.width'],
    ['UNKNOWN_OPTION', size, { ...size, depth: 2 }, 'to'],
  ])('refuses a size: %s', (code, from, to, argument) => {
    const call = () => poolPositions(wrong<MapSize>(from), wrong<MapSize>(to));
    expect(refusal(call)).toMatchObject({ operation: 'poolPositions', code, argument });
  });

  test('refuses rows that are no multiple of a map', () => {
    const pool = poolPositions(size, { height: 2, width: 2 });
    expect(refusal(() => pool.apply(Matrix.zeros(2, 8)))).toMatchObject({
      code: 'SHAPE_MISMATCH',
      argument: 'matrix',
      message: 'poolPositions.apply: matrix has shape [2, 8], expected [2, channels × 6]',
    });
    expect(refusal(() => pool.adjoint(Matrix.zeros(2, 6)))).toMatchObject({
      code: 'SHAPE_MISMATCH',
      argument: 'gradient',
      operation: 'poolPositions.adjoint',
    });
    expect(refusal(() => pool.apply(wrong<Matrix>([[1, 2]])))).toMatchObject({
      code: 'WRONG_TYPE',
    });
  });
});

describe('averageHeads', () => {
  test.each(averageHeadsFixture.cases)('matches PyTorch on $name', (golden) => {
    checkFixture(averageHeads(golden.arguments[0]!), golden);
  });

  test('has an adjoint that is its transpose', () => {
    const sizes = fc.record({
      heads: fc.integer({ min: 1, max: 5 }),
      keys: fc.integer({ min: 1, max: 5 }),
    });
    const calls = sizes.chain(({ heads, keys }) =>
      fc.record({
        map: fc.constant(averageHeads(heads)),
        x: features({ rows: 3, columns: heads * keys }),
        y: features({ rows: 3, columns: keys }),
      }),
    );
    fc.assert(
      fc.property(calls, ({ map, x, y }) => checkAdjoint(map, x, y)),
      { includeErrorInReport: true },
    );
  });

  test('averages each key; −Infinity in one head gives −Infinity in the mean', () => {
    const heads = averageHeads(2);
    expect(heads.apply(matrix([1, 2, 3, 8])).toRows()).toEqual([[2, 5]]);
    expect(heads.adjoint(matrix([1, 2])).toRows()).toEqual([[0.5, 1, 0.5, 1]]);
    expect(heads.apply(matrix([1, -Infinity, 3, 0])).toRows()).toEqual([[2, -Infinity]]);
  });

  test('reads a sample of [heads][queries][keys] as one row', () => {
    // 2 samples × 2 heads × 2 queries × 2 keys
    const tensor = Float64Array.from({ length: 16 }, (_, i) => i);
    const averaged = averageHeads(2).apply(new Matrix(tensor, 2, 8));
    expect(new Matrix(averaged.data, 4, 2).toRows()).toEqual([
      [2, 3],
      [4, 5],
      [10, 11],
      [12, 13],
    ]);
  });

  test.each([
    ['OUT_OF_RANGE', 0],
    ['OUT_OF_RANGE', 1.5],
    ['WRONG_TYPE', '2'],
  ])('refuses a number of heads: %s', (code, heads) => {
    const call = () => averageHeads(wrong<number>(heads));
    expect(refusal(call)).toMatchObject({ operation: 'averageHeads', code, argument: 'heads' });
  });

  test('refuses columns that the heads do not divide, and arguments that are no matrix', () => {
    const heads = averageHeads(3);
    expect(refusal(() => heads.apply(Matrix.zeros(2, 4)))).toMatchObject({
      code: 'SHAPE_MISMATCH',
      argument: 'matrix',
    });
    expect(refusal(() => heads.adjoint(wrong<Matrix>(undefined)))).toMatchObject({
      code: 'WRONG_TYPE',
      argument: 'gradient',
    });
  });
});

describe('concatenateColumns and splitColumns', () => {
  const [first, second] = [matrix([1, 2], [4, 5]), matrix([3], [6])];

  test('concatenate rows, and split them', () => {
    const both = concatenateColumns(first, second);
    expect(both.toRows()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const parts = splitColumns(both, 2);
    expect(parts.map((part) => part.toRows())).toEqual([first.toRows(), second.toRows()]);
    both.data.fill(0);
    expect(parts[0].get(0, 0)).toBe(1);
    expect(first.get(0, 0)).toBe(1);
  });

  test('keep the dtype, and accept matrices without rows', () => {
    const none = concatenateColumns(Matrix.zeros(0, 2), Matrix.zeros(0, 3));
    expect(none).toMatchObject({ rows: 0, columns: 5, numeric: float32 });
    expect(splitColumns(none, 1)).toMatchObject([{ columns: 1 }, { columns: 4, numeric: float32 }]);
  });

  test.each<[string, unknown, unknown, string]>([
    ['WRONG_TYPE', [1, 2], second, 'first'],
    ['WRONG_TYPE', first, undefined, 'second'],
    ['SHAPE_MISMATCH', first, matrix([1, 2]), 'second'],
    ['DTYPE_MISMATCH', first, second.as(float32), 'second'],
  ])('refuse parts that do not fit: %s', (code, left, right, argument) => {
    const call = () => concatenateColumns(wrong<Matrix>(left), wrong<Matrix>(right));
    expect(refusal(call)).toMatchObject({ operation: 'concatenateColumns', code, argument });
  });

  test.each<[string, unknown, string]>([
    ['OUT_OF_RANGE', 0, 'columns'],
    ['OUT_OF_RANGE', 2, 'columns'],
    ['OUT_OF_RANGE', 1.5, 'columns'],
    ['WRONG_TYPE', undefined, 'columns'],
  ])('refuse a split that leaves no columns: %s', (code, columns, argument) => {
    const call = () => splitColumns(first, wrong<number>(columns));
    expect(refusal(call)).toMatchObject({ operation: 'splitColumns', code, argument });
  });
});
