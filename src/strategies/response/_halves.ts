// A term in JavaScript between the two halves of the engine: the softmaxes of a row before it,
// their adjoint behind it.

import type { GradientSink } from '../../call/gradient.js';
import type { FloatArray } from '../../core/numeric.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import { halvesOf } from '../../engine/halves.js';
import { UNLABELED_ROW } from '../../engine/layout.js';
import { addLabels } from './_labels.js';
import type { Pass } from './_pass.js';
import { temperaturesOf } from './_temperatures.js';

/**
 * A pass over the rows of a divergence that is written in JavaScript. `false`, and nothing done,
 * where JavaScript has to compute all of it.
 */
export function runBetweenHalves<T extends FloatArray>(
  pass: Pass<T>,
  losses: Float64Array,
  sink: GradientSink<T> | undefined,
): boolean {
  const { loss, batch, tables, teacherTemperature = 0 } = pass;
  const temperatureOf = temperaturesOf(pass, pass);
  const { student, rows } = batch;
  const { data, columns } = student;
  const teacher = (batch.teacher as typeof student).data;
  const call = { columns, standardizes: loss.standardizeLogits };
  let halves = halvesOf(RESPONSE, call);
  if (!halves) return false;
  const divergence = loss.terms.divergence!;
  for (const row of rows) {
    const weight = tables.weights[2 * row]!;
    if (weight === 0) continue;
    if (!halves || halves.isLost()) halves = halvesOf(RESPONSE, call);
    if (!halves) {
      losses[row] = Number.NaN; // left to JavaScript
      continue;
    }
    const { p, q, logP, logQ, slope } = halves;
    halves.open(data, teacher, row * columns, temperatureOf(row).student, teacherTemperature);
    const label = Math.max(tables.labels[row]!, UNLABELED_ROW);
    const value = weight * divergence({ p, q, logP, logQ, slope, label });
    // Where the term has called the library, the row is left to JavaScript as well.
    losses[row] = halves.isLost() ? Number.NaN : value;
    if (sink && Number.isFinite(losses[row])) sink.add(row, halves.close(weight));
  }
  addLabels(pass, losses, sink);
  return true;
}
