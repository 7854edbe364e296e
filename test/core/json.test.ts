import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { type FloatArray, float32, float64, Matrix } from '../../src/index.js';
import { refusal } from '../support/refusal.js';

function bytesOf({ buffer, byteOffset, byteLength }: FloatArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Converts to JSON text and back. */
function copyOf(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe('a matrix as JSON', () => {
  test('has dtype, shape and values; values that JSON lacks are strings', () => {
    const matrix = Matrix.fromRows([
      [1, -0, 0.1],
      [Number.NaN, Infinity, -Infinity],
    ]);
    expect(JSON.stringify({ matrix })).toBe(
      '{"matrix":{"dtype":"float32","rows":2,"columns":3,"data":[1,"-0",0.10000000149011612,"NaN","Infinity","-Infinity"]}}',
    );
    expect(Matrix.zeros(0, 2, float64).toJSON()).toEqual({
      dtype: 'float64',
      rows: 0,
      columns: 2,
      data: [],
    });
  });

  test.each([
    { numeric: float32, arrays: fc.float32Array({ minLength: 1, maxLength: 12 }) },
    { numeric: float64, arrays: fc.float64Array({ minLength: 1, maxLength: 12 }) },
  ])('restores every bit of $numeric.dtype', ({ numeric, arrays }) => {
    const property = fc.property<[FloatArray]>(arrays, (data) => {
      const matrix = new Matrix(data, 1, data.length);
      const read = Matrix.fromJSON<FloatArray>(copyOf(matrix), numeric);
      expect([read.rows, read.columns, read.numeric]).toEqual([1, data.length, numeric]);
      expect(bytesOf(read.data)).toEqual(bytesOf(data));
    });
    const named = numeric.from([-0, Number.NaN, Infinity, -Infinity]);
    fc.assert(property, { examples: [[named]] });
  });

  test('restores the shape, also of a matrix without rows', () => {
    const matrix = Matrix.fromRows(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      float64,
    );
    expect(Matrix.fromJSON(copyOf(matrix), float64)).toEqual(matrix);
    expect(Matrix.fromJSON(copyOf(Matrix.zeros(0, 3)))).toEqual(Matrix.zeros(0, 3));
    expectTypeOf(() => Matrix.fromJSON({})).returns.toEqualTypeOf<Matrix<Float32Array>>();
    expectTypeOf(() => Matrix.fromJSON({}, float64)).returns.toEqualTypeOf<Matrix<Float64Array>>();
  });

  const json = Matrix.fromRows([
    [1, 2],
    [3, 4],
  ]).toJSON();
  const names = '"NaN", "Infinity", "-Infinity" or "-0"';

  test.each<[string, unknown, string]>([
    ['WRONG_TYPE', '{}', 'json must be an object, got "{}"'],
    ['WRONG_TYPE', null, 'json must be an object, got null'],
    [
      'UNKNOWN_OPTION',
      { ...json, row: 2 },
      'unknown key of json "row"; did you mean "rows"? Known keys: dtype, rows, columns, data',
    ],
    [
      'DTYPE_MISMATCH',
      { ...json, dtype: 'float64' },
      'json.dtype must be float32, got float64; pass the number format that was written',
    ],
    [
      'DTYPE_MISMATCH',
      { ...json, dtype: undefined },
      'json.dtype must be float32, got undefined; pass the number format that was written',
    ],
    [
      'WRONG_TYPE',
      { ...json, rows: '2' },
      'json.rows must be an integer ≥ 0, got "2"; use Number(json.rows)',
    ],
    ['OUT_OF_RANGE', { ...json, columns: 0 }, 'json.columns must be an integer ≥ 1, got 0'],
    ['WRONG_TYPE', { ...json, data: { length: 4 } }, 'json.data must be an array, got an object'],
    [
      'SHAPE_MISMATCH',
      { ...json, rows: 3 },
      'json.data has shape [4], expected [6] (rows × columns)',
    ],
    [
      'WRONG_TYPE',
      { ...json, data: [1, 2, null, 4] },
      `json.data[2] must be a number, ${names}, got null`,
    ],
    [
      'WRONG_TYPE',
      { ...json, data: [1, 2, 3, '4'] },
      `json.data[3] must be a number, ${names}, got "4"`,
    ],
    [
      'WRONG_TYPE',
      { ...json, data: [Symbol('1'), 2, 3, 4] },
      `json.data[0] must be a number, ${names}, got Symbol(1)`,
    ],
    [
      'OUT_OF_RANGE',
      { ...json, data: [1, 2, 3, JSON.parse('1e999')] },
      `json.data row 1, column 1 must be a finite float32, ${names}, got Infinity`,
    ],
    [
      'OUT_OF_RANGE',
      { ...json, data: [1, 1e39, 3, 4] },
      `json.data row 0, column 1 must be a finite float32, ${names}, got 1e+39`,
    ],
  ])('is refused with %s if it is damaged: %j', (code, broken, message) => {
    const expected = { code, message: `Matrix.fromJSON: ${message}` };
    expect(refusal(() => Matrix.fromJSON(broken))).toMatchObject(expected);
  });

  test('is read as another dtype if one follows the hint', () => {
    const doubles = Matrix.fromRows([[1 / 3]], float64).toJSON();
    expect(() => Matrix.fromJSON(doubles)).toThrow(/pass the number format that was written/);
    expect(Matrix.fromJSON(doubles, float64).get(0, 0)).toBe(1 / 3);
  });
});
