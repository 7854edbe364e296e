// Losses of labels alone, row by row: through the engine, and in JavaScript where it does not compute.

import { RESPONSE } from '../../engine/binaries/response.js';
import { runRows } from '../../engine/rows.js';
import type { RowsCall } from '../../engine/rowsCall.js';
import type { Target } from '../../engine/target.js';
import { type HardLoss, softmaxCrossEntropy } from './crossEntropy.js';

/** The rows of a call whose labels are looked at. */
export type LabelRows = Required<Pick<RowsCall, 'labels' | 'weights'>> &
  Pick<RowsCall, 'student' | 'columns' | 'distributions'>;

/**
 * The cross-entropies of all rows with their labels, at temperature 1, times their hard weights, to `losses`; their
 * derivatives to the target that `claim` gives. `false`, and nothing done, where JavaScript has to compute. A row that
 * JavaScript has to look at has a loss that is not finite.
 */
export function runLabels(
  { student, columns, distributions, labels, weights }: LabelRows,
  losses: Float64Array,
  claim?: () => Target,
): boolean {
  const kernel = { binary: RESPONSE, name: 'label' };
  const rows = labels.length;
  const call = { kernel, student, rows, columns, distributions, labels, weights, temperature: 1 };
  return runRows(call, losses, claim);
}

/** −log softmax at the class of each row, times its hard weight, to `losses`; 0 where a row has none. */
export function labelLosses(rows: LabelRows, losses: Float64Array): void {
  const { student, columns, labels, weights } = rows;
  const isDone = runLabels(rows, losses);
  let crossEntropy: HardLoss | undefined;
  let unread: Float64Array | undefined;
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]!;
    if (isDone && Number.isFinite(losses[row])) continue;
    losses[row] = 0;
    if (label < 0) continue;
    crossEntropy ??= softmaxCrossEntropy(columns);
    unread ??= new Float64Array(columns);
    losses[row] = crossEntropy(student, row * columns, label, weights[2 * row + 1]!, unread);
  }
}
