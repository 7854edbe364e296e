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
  const labels = tables.labels.map((label, row) =>
    Number.isFinite(losses[row]) ? label : EXCLUDED_ROW,
  );
  const hard = new Float64Array(rows);
  const { weights } = tables;
  const distributions = batch.distributions?.data;
  const call = { student: data, columns, labels, weights, distributions };
  runLabels(call, hard, sink && (() => sink.claim(rows)));
  for (let row = 0; row < rows; row++) losses[row]! += hard[row]!;
}
