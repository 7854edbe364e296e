import {
  type FloatArray,
  float32,
  float64,
  Matrix,
  type NumericTrait,
} from 'knowledge-distillation';

/** Options of the response loss with labels, which the other libraries compute, too. */
export const TEMPERATURE = 3;
export const ALPHA = 0.3;

export type DType = 'float32' | 'float64';

export interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly dtype: DType;
}

/** A batch so small that the constant cost of a call shows. */
export const SHORT: Shape = { rows: 32, columns: 10, dtype: 'float32' };

/** The inputs of one step, the same for every contestant. */
export interface Problem extends Shape {
  readonly student: FloatArray;
  readonly teacher: FloatArray;
  readonly labels: Int32Array;
}

export function numericOf(dtype: DType): NumericTrait<FloatArray> {
  return dtype === 'float32' ? float32 : float64;
}

/** Pseudo-random numbers, uniform in [0, 1), the same in every run. */
function uniform(index: number, seed: number): number {
  const value = 43758.5453 * Math.sin(12.9898 * index + seed);
  return value - Math.floor(value);
}

/** Fills an array with normally distributed numbers, by the transform of Box and Muller. */
export function normals(
  { rows, columns, dtype }: Shape,
  deviation: number,
  seed: number,
): FloatArray {
  const { data } = Matrix.zeros(rows, columns, numericOf(dtype));
  for (let i = 0; i < data.length; i++) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - uniform(i, seed)));
    data[i] = radius * Math.cos(2 * Math.PI * uniform(i, seed + 1));
  }
  return data;
}

/** Makes logits like those of a network. The student is far from the teacher. */
export function makeProblem(shape: Shape, deviation = 2): Problem {
  const { rows, columns } = shape;
  const labels = Int32Array.from({ length: rows }, (_, row) => (7 * row) % columns);
  const [student, teacher] = [normals(shape, deviation, 0.5), normals(shape, deviation, 2)];
  return { ...shape, student, teacher, labels };
}

/** Returns the labels as one-hot rows, for libraries without class indices. */
export function oneHot({ labels, rows, columns }: Problem): Float32Array {
  const values = new Float32Array(rows * columns);
  labels.forEach((label, row) => {
    values[row * columns + label] = 1;
  });
  return values;
}
