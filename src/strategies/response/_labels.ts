import type { GradientSink } from '../../call/gradient.js';
import type { FloatArray } from '../../core/numeric.js';
import { EXCLUDED_ROW } from '../../engine/layout.js';
import { runLabels } from '../../kernels/rows/labels.js';
import type { Pass } from './_pass.js';

/** Adds the hard loss of the rows whose loss so far is finite, by the engine. */
export function addLabels<T extends FloatArray>(
  { batch, tables }: Pass<T>,
  losses: Float64Array,
  sink: GradientSink<T> | undefined,
): void {
  if (!batch.classes && !batch.distributions) return;
  const { data, rows, columns } = batch.student;
  const { weights } = tables;
  const labels = finiteRows(tables.labels, losses);
  const hard = new Float64Array(rows);
  const distributions = batch.distributions?.data;
  const call = { student: data, columns, labels, weights, distributions };
  runLabels(call, hard, sink && (() => sink.claim(rows)));
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
