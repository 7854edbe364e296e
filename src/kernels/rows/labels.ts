// Losses of labels alone, row by row: through the engine, and in JavaScript where it does not compute.

import type { FloatArray } from '../../core/numeric.js';
import { RESPONSE } from '../../engine/binaries/response.js';
import { EXCLUDED_ROW } from '../../engine/layout.js';
import { runRows } from '../../engine/rows.js';
import type { RowsCall } from '../../engine/rowsCall.js';
import type { Target } from '../../engine/target.js';
import { softmaxCrossEntropy } from './crossEntropy.js';

/** The rows of a call whose labels are looked at. */
export type LabelRows = Required<Pick<RowsCall, 'labels' | 'weights'>> &
  Pick<RowsCall, 'student' | 'columns' | 'distributions'>;

/**
 * The cross-entropies of all rows with their labels, at temperature 1, times their hard weights, to `losses`; their
 * derivatives to the target that `claim` gives. `false`, and nothing done, where JavaScript has to compute. A row that
 * JavaScript has to look at has a loss that is not finite.
 */
export function runLabels(rows: LabelRows, losses: Float64Array, claim?: () => Target): boolean {
  const { columns, labels } = rows;
  const kernel = { binary: RESPONSE, name: 'label' };
  const call = { ...rows, kernel, rows: labels.length, columns, temperature: 1 };
  return runRows(call, losses, claim);
}

/** −log softmax(values) at the class of each row; 0 where a row has none. */
export function labelLosses(values: FloatArray, columns: number, labels: Int32Array): Float64Array {
  const losses = new Float64Array(labels.length);
  const weights = new Float64Array(2 * labels.length);
  for (let row = 0; row < labels.length; row++) weights[2 * row + 1] = labels[row]! < 0 ? 0 : 1;
  const isDone = runLabels({ student: values, columns, labels, weights }, losses);
  const crossEntropy = softmaxCrossEntropy(columns);
  const unread = new Float64Array(columns);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]!;
    if (label === EXCLUDED_ROW || label < 0 || (isDone && Number.isFinite(losses[row]))) continue;
    losses[row] = crossEntropy(values, row * columns, label, 1, unread);
  }
  return losses;
}
