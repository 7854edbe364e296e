import {
  type FloatArray,
  float32,
  float64,
  Matrix,
  type NumericTrait,
} from 'knowledge-distillation';

/** The step that every contestant takes: the response loss with labels, and its gradient. */
export const TEMPERATURE = 3;
export const ALPHA = 0.3;

export interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly dtype: 'float32' | 'float64';
}

export interface Problem extends Shape {
  readonly student: FloatArray;
  readonly teacher: FloatArray;
  readonly labels: Int32Array;
}

/** Logits as a network might put them out: a few units wide, no two rows alike. */
export function makeProblem({ rows, columns, dtype }: Shape): Problem {
  const numeric: NumericTrait<FloatArray> = dtype === 'float32' ? float32 : float64;
  const logits = (phase: number) => {
    const { data } = Matrix.zeros(rows, columns, numeric);
    for (let i = 0; i < data.length; i++) data[i] = 3 * Math.sin(12.9898 * i + phase);
    return data;
  };
  const labels = Int32Array.from({ length: rows }, (_, row) => (7 * row) % columns);
  return { rows, columns, dtype, student: logits(0.5), teacher: logits(2), labels };
}

/** The labels as rows with a single 1, for those who know no indices. */
export function oneHot({ labels, rows, columns }: Problem): Float32Array {
  const values = new Float32Array(rows * columns);
  labels.forEach((label, row) => {
    values[row * columns + label] = 1;
  });
  return values;
}
