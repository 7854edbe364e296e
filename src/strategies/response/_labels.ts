// Cross-entropies of the rows with their labels: in the engine, and in JavaScript for what the
// engine leaves.

import type { DistillationBatch } from '../../call/batch.js';
import type { GradientSink } from '../../call/gradient.js';
import type { FloatArray } from '../../core/numeric.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import { DISTRIBUTION_ROW, EXCLUDED_ROW } from '../../engine/layout.js';
import { runRows } from '../../engine/rows.js';
import type { RowsCall, RowTables } from '../../engine/rowsCall.js';
import type { Target } from '../../engine/target.js';
import { type RowLabel, softmaxCrossEntropy } from '../../kernels/rows/crossEntropy.js';
import type { SparseTargets } from '../../teachers/sparse.js';

/** The part of a pass that its labels need. */
interface LabeledPass<T extends FloatArray> {
  readonly batch: DistillationBatch<T, SparseTargets<T>>;
  readonly tables: RowTables;
}

/** The logits, labels and weights of all rows. */
type LabelRows = Required<Pick<RowsCall, 'labels' | 'weights'>> &
  Pick<RowsCall, 'student' | 'columns' | 'distributions'>;

/**
 * Writes the cross-entropy of each row with its label, at temperature 1 and times its hard weight,
 * to `losses`, and the derivatives to the target that `claim` returns. Returns `false`, with
 * nothing written, if JavaScript has to compute. The loss of a row that the engine leaves is not
 * finite.
 */
function runLabels(
  { student, columns, distributions, labels, weights }: LabelRows,
  losses: Float64Array,
  claim?: () => Target,
): boolean {
  const kernel = { binary: RESPONSE, name: 'label' };
  const rows = labels.length;
  const call = { kernel, student, rows, columns, distributions, labels, weights, temperature: 1 };
  return runRows(call, losses, claim);
}

/** The label of a row in the form that a hard loss takes: a class or a distribution. */
export function rowLabelOf(
  { labels, columns, distributions }: Omit<LabelRows, 'student' | 'weights'>,
  row: number,
): RowLabel {
  const label = labels[row]!;
  return label === DISTRIBUTION_ROW ? { values: distributions!, offset: row * columns } : label;
}

/**
 * Writes the cross-entropy of each row with its label, at temperature 1 and times its hard weight,
 * to `losses`; 0 for an excluded row and for a row without hard weight. The engine computes, or
 * JavaScript where the engine does not.
 */
export function labelLosses<T extends FloatArray>(
  rows: LabelRows,
  losses: Float64Array,
  sink?: GradientSink<T>,
): void {
  const { student, columns, labels, weights } = rows;
  const isDone = runLabels(rows, losses, sink && (() => sink.claim(labels.length)));
  let crossEntropy: ReturnType<typeof softmaxCrossEntropy> | undefined;
  let derivative: Float64Array | undefined;
  for (let row = 0; row < labels.length; row++) {
    if (isDone && Number.isFinite(losses[row])) continue;
    losses[row] = 0;
    const weight = weights[2 * row + 1]!;
    if (labels[row] === EXCLUDED_ROW || weight === 0) continue;
    crossEntropy ??= softmaxCrossEntropy(columns);
    derivative ??= new Float64Array(columns);
    derivative.fill(0);
    losses[row] = crossEntropy(student, row * columns, rowLabelOf(rows, row), weight, derivative);
    sink?.add(row, derivative);
  }
}

/** Adds the hard loss to `losses`, for the rows whose loss is finite so far. */
export function addLabels<T extends FloatArray>(
  { batch, tables }: LabeledPass<T>,
  losses: Float64Array,
  sink: GradientSink<T> | undefined,
): void {
  if (!batch.classes && !batch.distributions) return;
  const { data, rows, columns } = batch.student;
  const { weights } = tables;
  const labels = finiteRows(tables.labels, losses);
  const hard = new Float64Array(rows);
  const distributions = batch.distributions?.data;
  labelLosses({ student: data, columns, labels, weights, distributions }, hard, sink);
  for (let row = 0; row < rows; row++) losses[row]! += hard[row]!;
}

/** The labels, with the rows excluded whose loss is not finite. */
export function finiteRows(labels: Int32Array, losses: Float64Array): Int32Array {
  let kept = labels;
  for (let row = 0; row < labels.length; row++) {
    if (Number.isFinite(losses[row])) continue;
    if (kept === labels) kept = labels.slice();
    kept[row] = EXCLUDED_ROW;
  }
  return kept;
}
