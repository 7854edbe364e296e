import { float64, Matrix } from '../../src/index.js';

/** A matrix of these rows, in doubles. */
export function matrix(...rows: number[][]): Matrix<Float64Array> {
  return Matrix.fromRows(rows, float64);
}
