import { type FloatArray, float32, Matrix, type NumericTrait } from '../../src/index.js';

/** Makes a matrix of sines, whose rows and columns all differ. */
export function wave<T extends FloatArray = Float32Array>(
  rows: number,
  columns: number,
  phase: number,
  numeric: NumericTrait<T> = float32 as NumericTrait<FloatArray> as NumericTrait<T>,
): Matrix<T> {
  const values = Array.from({ length: rows * columns }, (_, i) => Math.sin(3 * i + phase));
  return new Matrix(numeric.from(values), rows, columns);
}
