import { Tensor } from 'onnxruntime-common';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { float32, float64, Matrix, type RuntimeTensor } from '../src/index.js';
import { refusal, wrong } from './support/refusal.js';

// Stands in for the Tensor of onnxruntime-node and onnxruntime-web, which transformers.js wraps.
// test/runtimes tests the originals.

const logits = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
const ids = BigInt64Array.of(1n, 2n, 3n, 4n);

/** The declared type of the outputs of `session.run`. */
function output(tensor: Tensor): Tensor {
  return tensor;
}

/** A Float16Array, or an object like one if the platform has none. */
function halves(values: readonly number[]): ArrayLike<number> {
  const { Float16Array } = globalThis as { Float16Array?: { from(v: object): ArrayLike<number> } };
  const standIn = Object.assign([...values], { [Symbol.toStringTag]: 'Float16Array' });
  return Float16Array?.from(values) ?? standIn;
}

describe('Matrix.fromTensor of a tensor of onnxruntime', () => {
  test('is a view, of rank 2 and 3', () => {
    const tensor = new Tensor('float32', logits, [4, 3]);
    const matrix = Matrix.fromTensor(tensor);
    expectTypeOf(matrix).toEqualTypeOf<Matrix<Float32Array>>();
    expect(matrix.data).toBe(logits);
    expect(matrix.toRows()[1]).toEqual([4, 5, 6]);

    const sequences = Matrix.fromTensor(new Tensor('float32', logits, [2, 2, 3]));
    expect(sequences.data).toBe(logits);
    expect(sequences.toRows()).toEqual(matrix.toRows());
  });

  test('is a view for a requested dtype that the tensor has', () => {
    const matrix = Matrix.fromTensor(output(new Tensor('float32', logits, [4, 3])), float32);
    expectTypeOf(matrix).toEqualTypeOf<Matrix<Float32Array>>();
    expect(matrix.data).toBe(logits);
    const doubles = new Tensor('float64', Float64Array.of(1, 2), [1, 2]);
    expect(Matrix.fromTensor(doubles).data).toBe(doubles.data);
    expect(Matrix.fromTensor(output(doubles), float64).data).toBe(doubles.data);
  });

  test('is a copy if the tensor has the other dtype', () => {
    const tensor = output(new Tensor('float64', Float64Array.of(0.1, 2), [1, 2]));
    expect(Matrix.fromTensor(tensor, float32).data).toEqual(Float32Array.of(0.1, 2));
    const single = new Tensor('float32', Float32Array.of(0.1, 2), [1, 2]);
    expect(Matrix.fromTensor(single, float64).data).toEqual(Float64Array.of(Math.fround(0.1), 2));
  });

  test('decodes half precision into the requested dtype', () => {
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x3555, 0x0001); // 1, −2, ⅓ and the smallest
    const values = [1, -2, 0.333251953125, 2 ** -24];
    const tensor: RuntimeTensor = { type: 'float16', data: bits, dims: [1, 2, 2] };
    const matrix = Matrix.fromTensor(tensor, float32);
    expect(matrix).toMatchObject({ rows: 2, columns: 2, data: Float32Array.from(values) });
    expect(Matrix.fromTensor(tensor, float64).data).toEqual(Float64Array.from(values));

    const array = { type: 'float16', data: halves(values), dims: [2, 2] };
    expect(Matrix.fromTensor(array, float32).data).toEqual(matrix.data);
    expect(Matrix.fromTensor({ data: halves(values), shape: [2, 2] }, float64).data).toEqual(
      Float64Array.from(values),
    );
  });

  const ANY = 'tensor.data must be a Float32Array or a Float64Array, got';
  const FLOATS = `${ANY} an object of type`;

  test.each<[string, () => unknown]>([
    [
      `${FLOATS} BigInt64Array; convert it first: Matrix.fromTensor({ data: Float32Array.from(tensor.data, Number), dims: tensor.dims })`,
      () => Matrix.fromTensor(output(new Tensor('int64', ids, [2, 2])), float32),
    ],
    [
      `${FLOATS} BigInt64Array; convert it first: Matrix.fromTensor({ data: Float32Array.from(tensor.data, Number), dims: tensor.dims })`,
      () => Matrix.fromTensor(wrong(new Tensor('int64', ids, [2, 2]))),
    ],
    [
      `${FLOATS} Int32Array; convert it first: Matrix.fromTensor({ data: Float32Array.from(tensor.data), dims: tensor.dims })`,
      () => Matrix.fromTensor(new Tensor('int32', Int32Array.of(1, 2), [1, 2]), float32),
    ],
    [
      `${FLOATS} Uint16Array; convert it first: Matrix.fromTensor({ data: Float32Array.from(tensor.data), dims: tensor.dims })`,
      () => Matrix.fromTensor(new Tensor('uint16', Uint16Array.of(1, 2), [1, 2]), float32),
    ],
    [
      `${FLOATS} Uint16Array; convert it first: Matrix.fromTensor({ data: Float32Array.from(tensor.data), dims: tensor.dims }); ` +
        "bits of half precision need type: 'float16'",
      () => Matrix.fromTensor({ data: Uint16Array.of(0x3c00), dims: [1, 1] }, float32),
    ],
    [
      `${FLOATS} Uint16Array; half precision is decoded into a copy by fromTensor(tensor, float32)`,
      () => Matrix.fromTensor(wrong({ type: 'float16', data: Uint16Array.of(1), dims: [1, 1] })),
    ],
    [`${ANY} an array`, () => Matrix.fromTensor(new Tensor('string', ['a', 'b'], [1, 2]), float32)],
    [
      `${ANY} a function; read it first: Matrix.fromTensor({ data: await tensor.data(), shape: tensor.shape })`,
      () => Matrix.fromTensor(wrong({ data: () => logits, shape: [4, 3] }), float32),
    ],
  ])('refuses: %s', (message, call) => {
    expect(call).toThrow(TypeError);
    expect(refusal(call)).toMatchObject({
      code: 'WRONG_TYPE',
      argument: 'tensor.data',
      message: `Matrix.fromTensor: ${message}`,
    });
  });

  test('refuses a value that overflows the dtype, a rank of 1, and an unknown dtype', () => {
    const large = new Tensor('float64', Float64Array.of(1, 1e300), [1, 2]);
    expect(refusal(() => Matrix.fromTensor(large, float32))).toMatchObject({
      code: 'OUT_OF_RANGE',
      column: 1,
    });
    expect(refusal(() => Matrix.fromTensor(new Tensor('float32', logits, [12])))).toMatchObject({
      code: 'SHAPE_MISMATCH',
    });
    expect(
      refusal(() =>
        Matrix.fromTensor(new Tensor('float32', logits, [4, 3]), wrong<typeof float32>('float32')),
      ),
    ).toMatchObject({ code: 'WRONG_TYPE', argument: 'numeric' });
  });
});
