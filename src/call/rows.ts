// The two ways in which a strategy goes through a batch: row by row, or all rows together.

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
 * The loss of a row that starts at these offsets in the data of student and teacher. Where
 * `derivative` is given, it is written with what the loss has as derivative with respect to the
 * student's row.
 */
export type RowLoss = (
  studentOffset: number,
  teacherOffset: number,
  derivative: Float64Array | undefined,
  row: number,
) => number;

/**
 * The mean of a loss over the kept rows, for the `evaluate` of a strategy that is a sum over rows:
 *
 *     loss = Σ over kept rows of weight · rowLoss / batch.normalizer
 *
 * with the weights of `batch.rowWeights`, or 1. The derivatives go to the sink, weighted and
 * divided by the normalizer as well; the losses of the rows, neither weighted nor divided, to
 * `batch.rowLosses`. A strategy whose loss is one such mean says so:
 * `get isSumOverRows(): true { return true; }`.
 *
 * @param batch - the batch that `evaluate` was given
 * @param gradient - the sink that `evaluate` was given, or `undefined` where no gradient is wanted
 * @param rowLoss - the loss of one row; it writes every element of `derivative` where that is given
 * @returns the loss, for `evaluate` to return; 0 where no row is kept
 *
 * @example
 * import { type DistillationBatch, DistillationStrategyBase, type GradientSink, Matrix, meanOverRows } from 'knowledge-distillation';
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
 * console.log(new HalfSquares().computeLoss(Matrix.fromRows([[1, 2]]), Matrix.fromRows([[0, 0]]))); // 2.5
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
 * {@link meanOverRows} by a kernel where there is one; `rowLoss` computes what the kernel cannot.
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
 * The loss of rows that stand one after another. Where `derivative` is given, it comes as zeros and
 * is written with the derivative with respect to the student's rows.
 *
 * @param scale - d(loss of the call) / d(this loss), for the gradients of parameters; 0 where no
 * gradient is wanted
 */
export type BatchLoss = (
  student: Grid,
  teacher: Grid,
  derivative: Float64Array | undefined,
  scale: number,
) => number;

/** The loss of the kept rows together, 0 where there are none; its gradient goes to the sink. */
export function overBatch<T extends FloatArray>(
  batch: DistillationBatch<T>,
  gradient: GradientSink<T> | undefined,
  batchLoss: BatchLoss,
): number {
  return overBatches(batch, [batch.rows], gradient, batchLoss);
}

/**
 * {@link overBatch} for batches within a batch: the rows of each are together, and apart from those
 * of the others.
 */
export function overBatches<T extends FloatArray>(
  batch: DistillationBatch<T>,
  batches: readonly (readonly number[])[],
  gradient: GradientSink<T> | undefined,
  batchLoss: BatchLoss,
): number {
  const { student, teacher } = batch;
  const { columns } = student;
  const most = batches.reduce((longest, { length }) => Math.max(longest, length), 0);
  const room = gradient && new Float64Array(most * columns);
  let loss = 0;
  for (const rows of batches) {
    const { length } = rows;
    if (length === 0) continue;
    const share = shareOf(batch, rows);
    const sink = gradient?.times(share);
    const derivative = room?.subarray(0, length * columns).fill(0);
    const scale = sink?.scale ?? 0;
    loss += share * batchLoss(gather(student, rows), gather(teacher, rows), derivative, scale);
    if (derivative) {
      for (const [i, row] of rows.entries()) sink?.add(row, derivative, i * columns);
    }
  }
  return loss;
}

/**
 * What the loss of rows together counts in the loss of a call: 1 for all kept rows, unless a
 * normalizer says that they are a part of more.
 */
function shareOf<T extends FloatArray>(
  { normalizer }: DistillationBatch<T>,
  rows: readonly number[],
): number {
  return rows.length / normalizer;
}

/**
 * A loss of rows that stand one after another, with its derivative with respect to the student's
 * where it is wanted.
 */
export type ProductLoss = (student: Grid, teacher: Grid, wanted: boolean) => PairLoss;

/**
 * {@link overBatch} for a loss whose derivative is a product: that is computed where the gradient
 * stands.
 */
export function overBatchByProduct<T extends FloatArray>(
  batch: DistillationBatch<T>,
  gradient: GradientSink<T> | undefined,
  batchLoss: ProductLoss,
): number {
  const { student, teacher, rows } = batch;
  if (rows.length === 0) return 0;
  const wanted = gradient !== undefined;
  const share = shareOf(batch, rows);
  const { loss, derivative } = batchLoss(gather(student, rows), gather(teacher, rows), wanted);
  if (gradient && derivative) {
    const sink = gradient.times(share);
    putProduct(sink.claim(rows.length), rows, derivative);
    sink.settle(boundOf(derivative));
  }
  return share * loss;
}

/** The rows, one after another; copied where they do not stand so already. */
export function gather<T extends FloatArray>(matrix: Matrix<T>, rows: readonly number[]): Grid {
  const { data, columns } = matrix;
  const { length } = rows;
  const [first, last] = [rows[0]!, rows[length - 1]!];
  if (last - first === length - 1) {
    return grid(data.subarray(first * columns, (last + 1) * columns), length, columns);
  }
  return grid(matrix.gatherRows(rows).data, length, columns);
}
