// Evaluates a divergence that is written in JavaScript between the two steps of a kernel: the
// softmaxes of a row, and their adjoint.

import type { GradientSink } from '../../call/gradient.js';
import type { FloatArray } from '../../core/numeric.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import { UNLABELED_ROW } from '../../engine/layout.js';
import { softmaxKernel } from '../../engine/softmaxKernel.js';
import { addLabels } from './_labels.js';
import type { Pass } from './_pass.js';
import { temperaturesOf } from './_temperatures.js';

/**
 * Evaluates the rows of a pass. Returns false, with nothing written, if the engine has no kernel.
 */
export function runWithSoftmaxKernel<T extends FloatArray>(
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
  let kernel = softmaxKernel(RESPONSE, call);
  if (!kernel) return false;
  const divergence = loss.terms.divergence!;
  for (const row of rows) {
    const weight = tables.weights[2 * row]!;
    if (weight === 0) continue;
    if (!kernel || kernel.isLost()) kernel = softmaxKernel(RESPONSE, call);
    if (!kernel) {
      losses[row] = Number.NaN; // JavaScript computes the row
      continue;
    }
    const { p, q, logP, logQ, slope } = kernel;
    kernel.forward(data, teacher, row * columns, temperatureOf(row).student, teacherTemperature);
    const label = Math.max(tables.labels[row]!, UNLABELED_ROW);
    const value = weight * divergence({ p, q, logP, logQ, slope, label });
    // JavaScript also computes the row if the divergence called the library and overwrote the
    // memory.
    losses[row] = kernel.isLost() ? Number.NaN : value;
    if (sink && Number.isFinite(losses[row])) sink.add(row, kernel.backward(weight));
  }
  addLabels(pass, losses, sink);
  return true;
}
