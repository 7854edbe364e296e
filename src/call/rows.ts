// Evaluates a strategy on a batch: row by row, or on all rows together.

import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import { type Grid, grid } from '../kernels/products/grid.js';
import { boundOf, type PairLoss, putProduct } from '../kernels/products/product.js';
import type { RowKernel } from '../kernels/rows/rowKernel.js';
import type { SparseTargets } from '../teachers/sparse.js';
import type { DistillationBatch } from './batch.js';
import type { GradientSink } from './gradient.js';
import { kernelLosses } from './kernelRows.js';
import { addRowLoss } from './rowOptions.js';

/**
 * Returns the loss of one row.
 *
 * - `studentOffset`, `teacherOffset`: indices in the data of student and teacher at which the row
 *   starts
 * - `derivative`: to be written with d(loss)/d(student's row), every element; undefined if no
 *   gradient is wanted
 * - `row`: index of the row
 */
export type RowLoss = (
  studentOffset: number,
  teacherOffset: number,
  derivative: Float64Array | undefined,
  row: number,
) => number;

/**
 * Averages the losses of the kept rows, for the `evaluate` of a strategy that is a sum over rows.
 *
 * ```math
 * L = (Σ_i w_i ℓ_i) / n
 * ```
 *
 * ℓ_i is the `rowLoss` of kept row i, w_i its weight in `batch.rowWeights` (1 without weights), n
 * is `batch.normalizer`. The sink gets the derivatives of L; `batch.rowLosses` gets ℓ_i. A strategy
 * whose loss is one such mean returns true from `isSumOverRows`.
 *
 * @param batch - the batch that `evaluate` was given
 * @param gradient - the sink that `evaluate` was given; undefined if no gradient is wanted
 * @param rowLoss - returns the loss of one row, and writes every element of `derivative` if it is
 * given
 * @returns the loss L, for `evaluate` to return; 0 without kept rows
 *
 * @example
 * ```ts
 * import {
 *   type DistillationBatch,
 *   DistillationStrategyBase,
 *   type GradientSink,
 *   Matrix,
 *   meanOverRows,
 * } from 'knowledge-distillation';
 *
 * // ½ Σ (student − teacher)², mean over rows
 * class HalfSquares extends DistillationStrategyBase {
 *   override get isSumOverRows(): true {
 *     return true;
 *   }
 *   protected override evaluate(batch: DistillationBatch, gradient?: GradientSink): number {
 *     const { student, teacher } = batch;
 *     return meanOverRows(batch, gradient, (s, t, derivative) => {
 *       let loss = 0;
 *       for (let j = 0; j < student.columns; j++) {
 *         const difference = student.data[s + j]! - teacher.data[t + j]!;
 *         loss += 0.5 * difference ** 2;
 *         if (derivative) derivative[j] = difference;
 *       }
 *       return loss;
 *     });
 *   }
 * }
 * const [student, teacher] = [Matrix.fromRows([[1, 2]]), Matrix.fromRows([[0, 0]])];
 * console.log(new HalfSquares().computeLoss(student, teacher)); // 2.5
 * ```
 */
export function meanOverRows<T extends FloatArray>(
  batch: DistillationBatch<T, SparseTargets<T>>,
  gradient: GradientSink<T> | undefined,
  rowLoss: RowLoss,
): number {
  const { student, teacher, rows, rowWeights, rowLosses, normalizer } = batch;
  const sink = gradient?.times(1 / normalizer);
  const derivative = sink && new Float64Array(student.columns);
  let sum = 0;
  for (const row of rows) {
    const loss = rowLoss(row * student.columns, row * teacher.columns, derivative, row);
    const weight = rowWeights?.[row] ?? 1;
    sum += weight * loss;
    rowLosses?.add(row, loss);
    if (derivative) (weight === 1 ? sink : sink?.times(weight))?.add(row, derivative);
  }
  return sum / normalizer;
}

/**
 * Computes {@link meanOverRows} with a kernel, if there is one; `rowLoss` computes the rows that
 * the kernel cannot.
 */
export function meanOverRowsByKernel<T extends FloatArray>(
  batch: DistillationBatch<T>,
  gradient: GradientSink<T> | undefined,
  kernel: RowKernel | undefined,
  rowLoss: RowLoss,
): number {
  const { normalizer } = batch;
  const losses = kernel && kernelLosses(batch, gradient?.times(1 / normalizer), kernel);
  if (!losses) return meanOverRows(batch, gradient, rowLoss);
  let sum = 0;
  const others: number[] = [];
  for (const row of batch.rows) {
    const weighted = losses[row]!;
    if (!Number.isFinite(weighted)) {
      others.push(row);
      continue;
    }
    sum += weighted;
    addRowLoss(batch, row, weighted);
  }
  const loss = sum / normalizer;
  if (others.length === 0) return loss;
  return loss + meanOverRows({ ...batch, rows: others }, gradient, rowLoss);
}

/**
 * Returns the loss of contiguous rows together.
 *
 * - `derivative`: zeros, to be written with d(loss)/d(student); undefined if no gradient is wanted
 * - `scale`: d(loss of the call) / d(this loss), for the gradients of parameters; 0 if no gradient
 *   is wanted
 */
export type BatchLoss = (
  student: Grid,
  teacher: Grid,
  derivative: Float64Array | undefined,
  scale: number,
) => number;

/** Evaluates a loss of all kept rows together; 0 without kept rows. The sink gets the gradient. */
export function overBatch<T extends FloatArray>(
  batch: DistillationBatch<T>,
  gradient: GradientSink<T> | undefined,
  batchLoss: BatchLoss,
): number {
  return overBatches(batch, [batch.rows], gradient, batchLoss);
}

/**
 * Evaluates a loss on several batches within a batch, and sums the losses. `batches` lists the rows
 * of each.
 */
export function overBatches<T extends FloatArray>(
  batch: DistillationBatch<T>,
  batches: readonly (readonly number[])[],
  gradient: GradientSink<T> | undefined,
  batchLoss: BatchLoss,
): number {
  const { student, teacher } = batch;
  const { columns } = student;
  const mostRows = batches.reduce((longest, { length }) => Math.max(longest, length), 0);
  const scratch = gradient && new Float64Array(mostRows * columns);
  let loss = 0;
  for (const rows of batches) {
    const { length } = rows;
    if (length === 0) continue;
    const share = shareOf(batch, rows);
    const sink = gradient?.times(share);
    const derivative = scratch?.subarray(0, length * columns).fill(0);
    const scale = sink?.scale ?? 0;
    loss += share * batchLoss(gather(student, rows), gather(teacher, rows), derivative, scale);
    if (derivative) {
      for (const [i, row] of rows.entries()) sink?.add(row, derivative, i * columns);
    }
  }
  return loss;
}

/**
 * Returns the factor of the loss of `rows` in the loss of the call. It is 1 for all kept rows,
 * unless the option `normalizer` makes the batch a part of a larger one.
 */
function shareOf<T extends FloatArray>(
  { normalizer }: DistillationBatch<T>,
  rows: readonly number[],
): number {
  return rows.length / normalizer;
}

/**
 * Returns the loss of contiguous rows together and, if `withDerivative`, its derivative with
 * respect to the student as a product of matrices.
 */
export type ProductLoss = (student: Grid, teacher: Grid, withDerivative: boolean) => PairLoss;

/**
 * Evaluates a loss as {@link overBatch} does. The derivative is a product of matrices, which is
 * multiplied directly into the output buffer of the gradient.
 */
export function overBatchByProduct<T extends FloatArray>(
  batch: DistillationBatch<T>,
  gradient: GradientSink<T> | undefined,
  batchLoss: ProductLoss,
): number {
  const { student, teacher, rows } = batch;
  if (rows.length === 0) return 0;
  const share = shareOf(batch, rows);
  const [studentRows, teacherRows] = [gather(student, rows), gather(teacher, rows)];
  const { loss, derivative } = batchLoss(studentRows, teacherRows, gradient !== undefined);
  if (gradient && derivative) {
    const sink = gradient.times(share);
    putProduct(sink.claim(rows.length), rows, derivative);
    sink.settle(boundOf(derivative));
  }
  return share * loss;
}

/** Returns rows as one contiguous grid; copies them unless they are contiguous in the matrix. */
export function gather<T extends FloatArray>(matrix: Matrix<T>, rows: readonly number[]): Grid {
  const { data, columns } = matrix;
  const { length } = rows;
  const [first, last] = [rows[0]!, rows[length - 1]!];
  if (last - first === length - 1) {
    return grid(data.subarray(first * columns, (last + 1) * columns), length, columns);
  }
  return grid(matrix.gatherRows(rows).data, length, columns);
}
