// Losses of labels alone, row by row: through the engine, and in JavaScript where it does not
// compute.

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

/** What the labels of a pass are known by. */
interface LabeledPass<T extends FloatArray> {
  readonly batch: DistillationBatch<T, SparseTargets<T>>;
  readonly tables: RowTables;
}

/** The rows of a call whose labels are looked at. */
type LabelRows = Required<Pick<RowsCall, 'labels' | 'weights'>> &
  Pick<RowsCall, 'student' | 'columns' | 'distributions'>;

/**
 * The cross-entropies of all rows with their labels, at temperature 1, times their hard weights, to
 * `losses`; their derivatives to the target that `claim` gives. `false`, and nothing done, where
 * JavaScript has to compute. A row that JavaScript has to look at has a loss that is not finite.
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

/** The label of a row as the hard loss takes it. */
export function rowLabelOf(
  { labels, columns, distributions }: Omit<LabelRows, 'student' | 'weights'>,
  row: number,
): RowLabel {
  const label = labels[row]!;
  return label === DISTRIBUTION_ROW ? { values: distributions!, offset: row * columns } : label;
}

/**
 * The losses of {@link runLabels} to `losses`, by either body; 0 where a row has no hard weight, or
 * its loss so far is not finite.
 */
export function labelLosses<T extends FloatArray>(
  rows: LabelRows,
  losses: Float64Array,
  sink?: GradientSink<T>,
): void {
  const { student, columns, labels, weights } = rows;
  const isDone = runLabels(rows, losses, sink && (() => sink.claim(labels.length)));
  let one: ReturnType<typeof softmaxCrossEntropy> | undefined;
  let derivative: Float64Array | undefined;
  for (let row = 0; row < labels.length; row++) {
    if (isDone && Number.isFinite(losses[row])) continue;
    losses[row] = 0;
    const weight = weights[2 * row + 1]!;
    if (labels[row] === EXCLUDED_ROW || weight === 0) continue;
    one ??= softmaxCrossEntropy(columns);
    derivative ??= new Float64Array(columns);
    derivative.fill(0);
    losses[row] = one(student, row * columns, rowLabelOf(rows, row), weight, derivative);
    sink?.add(row, derivative);
  }
}

/** Adds the hard loss of the rows whose loss so far is finite. */
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

/** The labels, without those of rows whose loss is not finite. */
export function finiteRows(labels: Int32Array, losses: Float64Array): Int32Array {
  let kept = labels;
  for (let row = 0; row < labels.length; row++) {
    if (Number.isFinite(losses[row])) continue;
    if (kept === labels) kept = labels.slice();
    kept[row] = EXCLUDED_ROW;
  }
  return kept;
}
