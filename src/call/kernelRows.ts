// Computes losses that are sums over rows with the kernels of the engine.

import type { FloatArray } from '../core/numeric.js';
import { EXCLUDED_ROW, UNLABELED_ROW } from '../engine/layout.js';
import { runRows } from '../engine/rows.js';
import { FEW_COLUMNS } from '../engine/rowsCall.js';
import type { RowKernel } from '../kernels/rows/rowKernel.js';
import type { DistillationBatch } from './batch.js';
import type { GradientSink } from './gradient.js';

/**
 * For each number format in which a kernel computes: a bound on the derivatives of a row with a
 * finite loss, and the factor of the derivatives (weight × scale) below which no kernel is used.
 */
const LIMITS = {
  float32: { derivative: 1e20, factor: 1e-20 },
  float64: { derivative: 1e160, factor: 1e-160 },
};

/**
 * Computes the loss of each row, times its weight, and writes the gradients of the rows to the
 * sink. A row whose loss is not finite has no gradient in the sink and has to be computed without a
 * kernel. Returns `undefined`, with nothing written, if the engine can compute no row.
 */
export function kernelLosses<T extends FloatArray>(
  { student, teacher, rows, rowWeights }: DistillationBatch<T>,
  gradient: GradientSink<T> | undefined,
  { binary, name, ...kernel }: RowKernel,
): Float64Array | undefined {
  // Kernels compute rows of up to FEW_COLUMNS columns in doubles.
  const limits = LIMITS[student.columns <= FEW_COLUMNS ? 'float64' : student.numeric.dtype];
  const { least, most } = weightRange(rowWeights, rows);
  if (rows.length === 0 || (gradient && !(least * Math.abs(gradient.scale) > limits.factor))) {
    return undefined;
  }
  const call = {
    kernel: { binary, name },
    student: student.data,
    teacher: teacher.data,
    rows: student.rows,
    columns: student.columns,
    teacherColumns: teacher.columns,
    ...(rows.length < student.rows && { labels: labelsOf(student.rows, rows) }),
    ...(rowWeights && { weights: weightsOf(rowWeights) }),
    temperature: 1,
    option: kernel.channels ?? kernel.option ?? 0,
    otherOption: kernel.ruledOut ?? Number.NaN,
    // The attention map of one channel is kept in doubles, which take as much memory as the copies.
    copies: kernel.channels === 1,
    parameters: kernel.parameters,
  };
  const losses = new Float64Array(student.rows);
  if (!runRows(call, losses, gradient && (() => gradient.claim(student.rows)))) return undefined;
  gradient?.settle(most * limits.derivative);
  return losses;
}

/** Returns the least and the largest absolute weight of the rows. */
function weightRange(
  weights: Float64Array | undefined,
  rows: readonly number[],
): { readonly least: number; readonly most: number } {
  if (!weights) return { least: 1, most: 1 };
  let [least, most] = [Infinity, 0];
  for (const row of rows) {
    least = Math.min(least, Math.abs(weights[row]!));
    most = Math.max(most, Math.abs(weights[row]!));
  }
  return { least, most };
}

/**
 * Returns pairs of a soft and a hard weight for each row, as kernels read them; the hard weights
 * are 0.
 */
function weightsOf(rowWeights: Float64Array): Float64Array {
  const weights = new Float64Array(2 * rowWeights.length);
  for (let row = 0; row < rowWeights.length; row++) weights[2 * row] = rowWeights[row]!;
  return weights;
}

/** Returns labels for the kernels that exclude every row except `rows`. */
function labelsOf(count: number, rows: readonly number[]): Int32Array {
  const labels = new Int32Array(count).fill(EXCLUDED_ROW);
  for (const row of rows) labels[row] = UNLABELED_ROW;
  return labels;
}
