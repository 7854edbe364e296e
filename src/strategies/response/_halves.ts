// A term in JavaScript between the two halves of the engine: the softmaxes of a row before it, their adjoint behind it.

import type { GradientSink } from '../../call/gradient.js';
import type { FloatArray } from '../../core/numeric.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import { halvesOf } from '../../engine/halves.js';
import { EXCLUDED_ROW } from '../../engine/layout.js';
import { runLabels } from '../../kernels/rows/labels.js';
import type { Pass } from './_pass.js';

/**
 * A pass over the rows of a divergence that is written in JavaScript. `false`, and nothing done, where JavaScript has to
 * compute all of it.
 */
export function runBetweenHalves<T extends FloatArray>(
  { loss, batch, temperature, tables }: Pass<T>,
  losses: Float64Array,
  sink: GradientSink<T> | undefined,
): boolean {
  const { student, rows } = batch;
  const { data, columns } = student;
  const teacher = (batch.teacher as typeof student).data;
  const halves = halvesOf(RESPONSE, { columns, temperature, standardizes: loss.standardizeLogits });
  if (!halves) return false;
  const { p, q, logP, logQ, slope } = halves;
  const divergence = loss.terms.divergence!;
  const labels = tables.labels.slice();
  for (const row of rows) {
    const weight = tables.weights[2 * row]!;
    if (weight === 0) continue;
    halves.open(data, teacher, row * columns);
    losses[row] =
      weight * divergence({ p, q, logP, logQ, slope, label: Math.max(labels[row]!, -1) });
    if (!Number.isFinite(losses[row])) labels[row] = EXCLUDED_ROW;
    else if (sink) sink.add(row, halves.close(weight));
  }
  if (!batch.classes && !batch.distributions) return true;
  const hard = new Float64Array(student.rows);
  const { weights } = tables;
  const distributions = batch.distributions?.data;
  runLabels(
    { student: data, columns, labels, weights, distributions },
    hard,
    sink && (() => sink.claim(student.rows)),
  );
  for (const row of rows) losses[row]! += hard[row]!;
  return true;
}
