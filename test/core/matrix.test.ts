import { describe, expect, test } from 'vitest';
import {
  float32,
  float64,
  Matrix,
  MatrixArena,
  type NumericTrait,
  ResponseDistillationStrategy,
} from '../../src/index.js';
import { refusal, wrong } from '../support/refusal.js';

describe('Matrix', () => {
  test('is a view of its data, row after row', () => {
    const data = Float64Array.of(1, 2, 3, 4, 5, 6);
    const matrix = new Matrix(data, 2, 3);
    data[4] = 50;
    expect(matrix.get(1, 1)).toBe(50);
    matrix.set(0, 2, 30);
    expect(data[2]).toBe(30);
    matrix.row(1)[0] = 40;
    expect(matrix.toRows()).toEqual([
      [1, 2, 30],
      [40, 50, 6],
    ]);
    expect(matrix).toMatchObject({ rows: 2, columns: 3, numeric: float64, data });
  });

  test('wraps a part of a larger buffer, also of shared memory', () => {
    const part = new Float32Array(new SharedArrayBuffer(32), 8, 4);
    part.set([1, 2, 3, 4]);
    expect(new Matrix(part, 2, 2).toRows()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test('has factories whose default is float32', () => {
    expect(Matrix.zeros(1, 2).data).toEqual(new Float32Array(2));
    expect(Matrix.zeros(1, 2, float64).data).toEqual(new Float64Array(2));
    expect(Matrix.fromRows([[0.1, 2]]).data).toEqual(Float32Array.of(0.1, 2));
    expect(Matrix.fromRows([Float32Array.of(1, 2)], float64).data).toEqual(Float64Array.of(1, 2));
    expect(Matrix.oneHot([2, 0], 3).toRows()).toEqual([
      [0, 0, 1],
      [1, 0, 0],
    ]);
    expect(Matrix.oneHot(Int32Array.of(1), 2, float64).data).toEqual(Float64Array.of(0, 1));
    expect(Matrix.zeros(0, 4).rows).toBe(0);
  });

  test('has memory of its own after clone, zerosLike and as', () => {
    const matrix = Matrix.fromRows([[0.1, 2]], float64);
    const clone = matrix.clone();
    const single = matrix.as(float32);
    matrix.set(0, 0, 9);
    expect(clone.get(0, 0)).toBe(0.1);
    expect(single.data).toEqual(Float32Array.of(0.1, 2));
    expect(matrix.zerosLike().data).toEqual(new Float64Array(2));
    expect(single.as(float64).get(0, 0)).toBe(Math.fround(0.1));
  });

  test('is a view of a tensor after fromTensor; a rank above 2 flattens to [leading, last]', () => {
    const data = Float32Array.from({ length: 24 }, (_, i) => i);
    const matrix = Matrix.fromTensor({ data, dims: [2, 3, 4] });
    expect(matrix).toMatchObject({ rows: 6, columns: 4 });
    expect(matrix.data).toBe(data);
    expect(Matrix.fromTensor({ data, shape: [4, 6] }).get(1, 0)).toBe(6);
  });

  test('is a view of rows after rowRange, also in an arena', () => {
    const arena = new MatrixArena(1 << 17);
    for (const matrix of [arena.zeros(4, 2), Matrix.zeros(4, 2)]) {
      matrix.data.set([1, 2, 3, 4, 5, 6, 7, 8]);
      const range = matrix.rowRange(1, 3);
      expect(range.toRows()).toEqual([
        [3, 4],
        [5, 6],
      ]);
      range.set(1, 0, 50);
      expect(matrix.get(2, 0)).toBe(50);
      expect(range.data.buffer).toBe(matrix.data.buffer);
      expect(matrix.rowRange(4, 4)).toMatchObject({ rows: 0, columns: 2 });
      expect(matrix.rowRange(0, 4).data).toEqual(matrix.data);
    }
  });

  test('gives the loss of a range of rows as of its copy, with the gradient in place', () => {
    const student = Matrix.fromRows([[9], [1], [2], [9]].map(([x = 0]) => [x, -x, 1]));
    const teacher = Matrix.fromRows([[9], [3], [0], [9]].map(([x = 0]) => [1, x, -x]));
    const gradient = student.zerosLike();
    const strategy = new ResponseDistillationStrategy();
    const { loss } = strategy.computeLossAndGradient(
      student.rowRange(1, 3),
      teacher.rowRange(1, 3),
      undefined,
      { gradient: gradient.rowRange(1, 3) },
    );
    const copies = [student, teacher].map((side) => side.gatherRows([1, 2])) as [Matrix, Matrix];
    const expected = strategy.computeLossAndGradient(...copies);
    expect(loss).toBe(expected.loss);
    expect(gradient.toRows()).toEqual([[0, 0, 0], ...expected.gradient.toRows(), [0, 0, 0]]);
  });

  test('copies rows in the order of their indices by gatherRows', () => {
    const matrix = Matrix.fromRows(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      float64,
    );
    const gathered = matrix.gatherRows(Int32Array.of(2, 0, 2));
    expect(gathered.numeric).toBe(float64);
    expect(gathered.toRows()).toEqual([
      [5, 6],
      [1, 2],
      [5, 6],
    ]);
    gathered.set(0, 0, 9);
    expect(gathered.get(2, 0)).toBe(5);
    expect(matrix.get(2, 0)).toBe(5);
    expect(matrix.gatherRows([])).toMatchObject({ rows: 0, columns: 2 });
  });

  test.each<[string, () => unknown, string]>([
    [
      'start',
      () => Matrix.zeros(3, 2).rowRange(4, 4),
      'Matrix.rowRange: start must be an integer in [0, 3], got 4',
    ],
    [
      'start',
      () => Matrix.zeros(3, 2).rowRange(-1, 2),
      'Matrix.rowRange: start must be an integer in [0, 3], got -1',
    ],
    [
      'end',
      () => Matrix.zeros(3, 2).rowRange(2, 1),
      'Matrix.rowRange: end must be an integer in [2, 3], got 1',
    ],
    [
      'end',
      () => Matrix.zeros(3, 2).rowRange(0, 1.5),
      'Matrix.rowRange: end must be an integer in [0, 3], got 1.5',
    ],
    [
      'indices[1]',
      () => Matrix.zeros(3, 2).gatherRows([0, 3]),
      'Matrix.gatherRows: indices[1] must be an integer in [0, 3), got 3',
    ],
    [
      'data',
      () => new Matrix(new Float32Array(5), 2, 3),
      'Matrix: data has shape [5], expected [6] (rows × columns)',
    ],
    [
      'rows',
      () => new Matrix(new Float32Array(0), -1, 3),
      'Matrix: rows must be an integer ≥ 0, got -1',
    ],
    ['columns', () => Matrix.zeros(2, 0), 'Matrix.zeros: columns must be an integer ≥ 1, got 0'],
    [
      'columns',
      () => Matrix.zeros(2, 1.5),
      'Matrix.zeros: columns must be an integer ≥ 1, got 1.5',
    ],
    [
      'rows',
      () => Matrix.fromRows([]),
      'Matrix.fromRows: rows must hold at least one row of numbers, got none',
    ],
    [
      'rows[1]',
      () => Matrix.fromRows([[1, 2], [3]]),
      'Matrix.fromRows: rows[1] has shape [1], expected [2] (the length of rows[0])',
    ],
    [
      'value',
      () => Matrix.fromRows([[1, 1e300]]),
      'Matrix.fromRows: row 0, column 1 must be at most 3.4028234663852886e+38, the largest float32, got 1e+300; use float64',
    ],
    [
      'value',
      () => Matrix.fromRows([[1], [-1e39]], float64).as(float32),
      'Matrix.as: row 1, column 0 must be at most 3.4028234663852886e+38, the largest float32, got -1e+39; use float64',
    ],
    [
      'value',
      () => Matrix.zeros(1, 1).set(0, 0, 1e39),
      'Matrix.set: row 0, column 0 must be at most 3.4028234663852886e+38, the largest float32, got 1e+39; use float64',
    ],
    [
      'classes[1]',
      () => Matrix.oneHot([0, 3], 3),
      'Matrix.oneHot: classes[1] must be an integer in [0, 3), got 3',
    ],
    [
      'classes[0]',
      () => Matrix.oneHot([-100], 3),
      'Matrix.oneHot: classes[0] must be an integer in [0, 3), got -100',
    ],
    [
      'tensor',
      () => Matrix.fromTensor({ data: new Float32Array(3), dims: [3] }),
      'Matrix.fromTensor: tensor has shape [3], expected [1, 3] (rank 2 or more); for a single row, use new Matrix(tensor.data, 1, 3)',
    ],
    [
      'tensor.data',
      () => Matrix.fromTensor({ data: new Float32Array(3), dims: [2, 2] }),
      'Matrix.fromTensor: tensor.data has shape [3], expected [4] (its dims)',
    ],
    [
      'value',
      () => Matrix.fromTensor({ data: Float64Array.of(1, 1e39), dims: [1, 2] }, float32),
      'Matrix.fromTensor: row 0, column 1 must be at most 3.4028234663852886e+38, the largest float32, got 1e+39; use float64',
    ],
    [
      'column',
      () => Matrix.zeros(2, 2).get(0, 2),
      'Matrix.get: column must be an integer in [0, 2), got 2',
    ],
    [
      'row',
      () => Matrix.zeros(2, 2).row(-1),
      'Matrix.row: row must be an integer in [0, 2), got -1',
    ],
  ])('refuses a wrong %s', (argument, call, message) => {
    expect(refusal(call)).toMatchObject({ name: 'DistillationError', argument, message });
  });

  test('refuses holes among the rows, and a transferred buffer', () => {
    const rows = [[1], [2], [3]];
    delete rows[1];
    expect(refusal(() => Matrix.fromRows(rows))).toMatchObject({ argument: 'rows[1]' });
    const gone = Matrix.zeros(1, 2);
    structuredClone(gone.data, { transfer: [wrong<ArrayBuffer>(gone.data.buffer)] });
    const elements = [() => gone.get(0, 0), () => gone.set(0, 0, 1), () => gone.row(0)];
    for (const call of [...elements, () => gone.gatherRows([0])]) {
      expect(refusal(call)).toMatchObject({ code: 'SHAPE_MISMATCH', argument: 'data' });
    }
    for (const call of [() => gone.rowRange(0, 1), () => gone.toJSON()]) {
      expect(refusal(call)).toMatchObject({ code: 'SHAPE_MISMATCH', argument: 'matrix.data' });
    }
  });

  test.each<[string, () => unknown, string]>([
    [
      'numeric',
      () => Matrix.zeros(1, 1, wrong<NumericTrait<Float64Array>>('float64')),
      'Matrix.zeros: numeric must be float32 or float64, which the library exports, got "float64"',
    ],
    [
      'numeric',
      () => Matrix.zeros(1, 1).as(wrong<NumericTrait<Float64Array>>('float64')),
      'Matrix.as: numeric must be float32 or float64, which the library exports, got "float64"',
    ],
    [
      'row',
      () => Matrix.zeros(1, 1).get(wrong('0'), 0),
      'Matrix.get: row must be an integer in [0, 1), got "0"; use Number(row)',
    ],
    [
      'data',
      () => new Matrix(wrong<Float32Array>([1, 2]), 1, 2),
      'Matrix: data must be a Float32Array or a Float64Array, got an array; use Float32Array.from(data)',
    ],
    [
      'rows',
      () => Matrix.zeros(wrong('2'), 2),
      'Matrix.zeros: rows must be an integer ≥ 0, got "2"; use Number(rows)',
    ],
    [
      'rows',
      () => Matrix.fromRows(wrong('ab')),
      'Matrix.fromRows: rows must be an array of rows, got "ab"',
    ],
    [
      'row 0, column 1',
      () => Matrix.fromRows([[1, wrong(null)]]),
      'Matrix.fromRows: row 0, column 1 must be a number, got null',
    ],
    [
      'tensor.data',
      () => Matrix.fromTensor(wrong({ data: BigInt64Array.of(1n), dims: [1, 1] })),
      'Matrix.fromTensor: tensor.data must be a Float32Array or a Float64Array, got an object of type BigInt64Array; convert it first: Matrix.fromTensor({ data: Float32Array.from(tensor.data, Number), dims: tensor.dims })',
    ],
    [
      'tensor',
      () => Matrix.fromTensor(wrong({ data: new Float32Array(1) })),
      'Matrix.fromTensor: tensor must have dims or shape, an array of dimensions, got undefined',
    ],
    [
      'tensor',
      () => Matrix.fromTensor(wrong(null)),
      'Matrix.fromTensor: tensor must be { data, dims } or { data, shape }, got null',
    ],
    [
      'end',
      () => Matrix.zeros(3, 2).rowRange(1, wrong(undefined)),
      'Matrix.rowRange: end must be an integer in [1, 3], got undefined',
    ],
    [
      'indices',
      () => Matrix.zeros(3, 2).gatherRows(wrong(1)),
      'Matrix.gatherRows: indices must be an array of row indices, got 1',
    ],
    [
      'indices[0]',
      () => Matrix.zeros(3, 2).gatherRows(wrong(['1'])),
      'Matrix.gatherRows: indices[0] must be an integer in [0, 3), got "1"; use Number(indices[0])',
    ],
    [
      'classes',
      () => Matrix.oneHot(wrong(3), 3),
      'Matrix.oneHot: classes must be an array of class indices, got 3',
    ],
    [
      'classes[1]',
      () => Matrix.oneHot(wrong([0, 1n]), 3),
      'Matrix.oneHot: classes[1] must be an integer in [0, 3), got 1n',
    ],
    [
      'row 0, column 0',
      () => Matrix.zeros(1, 1).set(0, 0, wrong('1')),
      'Matrix.set: row 0, column 0 must be a number, got "1"',
    ],
  ])('refuses a %s of the wrong type', (argument, call, message) => {
    expect(call).toThrow(TypeError);
    expect(refusal(call)).toMatchObject({ code: 'WRONG_TYPE', argument, message });
  });
});
