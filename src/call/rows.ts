// The two ways in which a strategy goes through a batch: row by row, or all rows together.

import type { Matrix } from '../core/matrix.js';
import type { FloatArray } from '../core/numeric.js';
import { type Grid, grid } from '../kernels/products/grid.js';
import { boundOf, type Derivative, putProduct, valuesOf } from '../kernels/products/product.js';
import type { SparseTargets } from '../teachers/sparse.js';
import type { DistillationBatch } from './batch.js';
import type { GradientSink } from './gradient.js';

/**
 * The loss of a row that starts at these offsets in the data of student and teacher. Where `derivative` is given, it
 * is written with what the loss has as derivative with respect to the student's row.
 */
export type RowLoss = (
  studentOffset: number,
  teacherOffset: number,
  derivative: Float64Array | undefined,
  row: number,
) => number;

/** The sum of the losses of the rows, each by itself; their gradient goes to the sink. */
export function sumOverRows<T extends FloatArray>(
  { student, teacher, rows }: DistillationBatch<T, SparseTargets<T>>,
  gradient: GradientSink<T> | undefined,
  rowLoss: RowLoss,
): number {
  const derivative = gradient && new Float64Array(student.columns);
  let sum = 0;
  for (const row of rows) {
    sum += rowLoss(row * student.columns, row * teacher.columns, derivative, row);
    if (derivative) gradient?.add(row, derivative);
  }
  return sum;
}

/**
 * The loss of rows that stand one after another; where `derivative` is given, it is written with the derivative with
 * respect to the student's rows. It comes as zeros.
 */
export type BatchLoss = (
  student: Grid,
  teacher: Grid,
  derivative: Float64Array | undefined,
) => number;

/**
 * The loss of the rows together, times their number, so that the mean over rows that the base class takes is the loss;
 * its gradient goes to the sink. 0 where there are no rows.
 */
export function overBatch<T extends FloatArray>(
  batch: DistillationBatch<T>,
  gradient: GradientSink<T> | undefined,
  batchLoss: BatchLoss,
): number {
  return overBatches(batch, [batch.rows], gradient, batchLoss);
}

/** {@link overBatch} for batches within a batch: the rows of each are together, and apart from those of the others. */
export function overBatches<T extends FloatArray>(
  { student, teacher }: DistillationBatch<T>,
  batches: readonly (readonly number[])[],
  gradient: GradientSink<T> | undefined,
  batchLoss: BatchLoss,
): number {
  const { columns } = student;
  const most = batches.reduce((longest, { length }) => Math.max(longest, length), 0);
  const room = gradient && new Float64Array(most * columns);
  let sum = 0;
  for (const rows of batches) {
    const { length } = rows;
    if (length === 0) continue;
    const derivative = room?.subarray(0, length * columns).fill(0);
    sum += length * batchLoss(gather(student, rows), gather(teacher, rows), derivative);
    const sink = gradient?.times(length);
    if (derivative) {
      for (const [i, row] of rows.entries()) sink?.add(row, derivative, i * columns);
    }
  }
  return sum;
}

/** A loss of rows that stand one after another, with its derivative with respect to the student's where it is wanted. */
export type ProductLoss = (
  student: Grid,
  teacher: Grid,
  wanted: boolean,
) => { readonly loss: number; readonly derivative?: Derivative | undefined };

/** {@link overBatch} for a loss whose derivative is a product: that is computed where the gradient stands. */
export function overBatchByProduct<T extends FloatArray>(
  { student, teacher, rows }: DistillationBatch<T>,
  gradient: GradientSink<T> | undefined,
  batchLoss: ProductLoss,
): number {
  const { length } = rows;
  if (length === 0) return 0;
  const wanted = gradient !== undefined;
  const { loss, derivative } = batchLoss(gather(student, rows), gather(teacher, rows), wanted);
  if (gradient && derivative) addDerivative(gradient.times(length), rows, derivative);
  return length * loss;
}

function addDerivative<T extends FloatArray>(
  sink: GradientSink<T>,
  rows: readonly number[],
  derivative: Derivative,
): void {
  const target = sink.claim(rows.length, boundOf(derivative));
  if (target === 'nowhere') return;
  if (target) putProduct(target, rows, derivative);
  else {
    const values = valuesOf(derivative);
    const { columns } = derivative.b;
    for (const [i, row] of rows.entries()) sink.add(row, values, i * columns);
  }
}

/** The rows, one after another; copied where they do not stand so already. */
export function gather<T extends FloatArray>(matrix: Matrix<T>, rows: readonly number[]): Grid {
  const { data, columns, numeric } = matrix;
  const { length } = rows;
  const [first, last] = [rows[0]!, rows[length - 1]!];
  if (last - first === length - 1) {
    return grid(data.subarray(first * columns, (last + 1) * columns), length, columns);
  }
  const gathered = numeric.allocate(length * columns);
  for (const [i, row] of rows.entries()) gathered.set(matrix.row(row), i * columns);
  return grid(gathered, length, columns);
}
