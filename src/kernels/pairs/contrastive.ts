// Which row of the other side is its own: a row among those of a batch.

import { copyTransposed, type Grid, grid, transpose } from '../products/grid.js';
import { addProduct } from '../products/product.js';
import { addCrossEntropy, logitRow } from '../rows/crossEntropy.js';

/**
 * Mean over i of −log(exp(sᵢ · tᵢ / τ) / Σ over j of exp(sᵢ · tⱼ / τ)) for rows s of the student and t of the teacher; if
 * `symmetric`, the mean of that and of the same with both in each other's place. Where `slope` is given, as zeros, it is
 * written with the derivative by s.
 */
export function contrast(
  student: Grid,
  teacher: Grid,
  temperature: number,
  symmetric: boolean,
  slope: Float64Array | undefined,
): number {
  const { rows } = student;
  const logits = new Float64Array(rows * rows);
  addProduct(logits, student, transpose(teacher));
  for (let k = 0; k < logits.length; k++) logits[k]! /= temperature;
  const byLogit = new Float64Array(rows * rows);
  let loss = addCrossEntropies(logits, rows, byLogit);
  if (symmetric) {
    const across = transposed(byLogit, rows);
    loss = (loss + addCrossEntropies(transposed(logits, rows), rows, across)) / 2;
    byLogit.set(transposed(across, rows));
  }
  if (!slope) return loss;
  const scale = 1 / (symmetric ? 2 * temperature : temperature);
  for (let k = 0; k < byLogit.length; k++) byLogit[k]! *= scale;
  addProduct(slope, grid(byLogit, rows, rows), teacher);
  return loss;
}

/** Mean over rows of the cross-entropy of the logits with the diagonal; derivative += its derivative. */
function addCrossEntropies(logits: Float64Array, rows: number, derivative: Float64Array): number {
  const exponentials = new Float64Array(rows);
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    const row = logitRow(logits, i * rows, exponentials);
    sum += addCrossEntropy(row, i, 1 / rows, derivative.subarray(i * rows, (i + 1) * rows));
  }
  return sum;
}

function transposed(square: Float64Array, size: number): Float64Array {
  const result = new Float64Array(square.length);
  copyTransposed(square, 0, size, size, result, 0);
  return result;
}
