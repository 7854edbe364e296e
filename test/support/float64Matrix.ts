import { float64, Matrix } from '../../src/index.js';

/** Makes a float64 matrix of rows. */
export function matrix(...rows: number[][]): Matrix<Float64Array> {
  return Matrix.fromRows(rows, float64);
}
