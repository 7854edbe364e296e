import type { DistillationBatch } from '../../call/batch.js';
import {
  checkFinite,
  checkLabelAllowed,
  checkSides,
  checkSomeAllowed,
  type RuledOutBy,
} from '../../call/diagnosis.js';
import { refuse, refuseMisplaced } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import { checkSparseRows } from '../../teachers/sparseCheck.js';
import type { ResponseLoss } from './_pass.js';
import { sparseRows } from './_sparseRows.js';
import { temperaturesOf } from './_temperatures.js';

/** Throws if a sparse teacher does not hold what the loss needs. */
export function checkSparse<T extends FloatArray>(
  batch: DistillationBatch<T, SparseTargets<T>>,
  teacher: SparseTargets<T>,
  loss: ResponseLoss,
): void {
  const { operation, rows } = batch;
  if (loss.standardizeLogits) {
    const owner = 'teachers with a logit for every class';
    refuseMisplaced(operation, 'standardizeLogits', owner, 'SparseTargets');
  }
  checkSparseRows(operation, teacher, rows);
  if (loss.terms.tail === 'renormalize' || teacher.keepsAll()) return;
  const temperatureOf = temperaturesOf(loss, batch);
  const received = teacher.kind === 'logits' ? 'logits' : `temperature ${teacher.temperature}`;
  for (const row of rows) {
    const asked = temperatureOf(row).teacher;
    if (teacher.kind !== 'logits' && teacher.temperature === asked) continue;
    const expected = `hold log-probabilities at temperature ${asked}, the strategy's`;
    const renormalize = "tail: 'renormalize'";
    // Targets have one temperature for all of their rows.
    const hint = batch.temperatures
      ? `take ${renormalize}`
      : `take SparseTargets.topK(logits, k, { temperature: ${asked} }), or ${renormalize}`;
    refuse('TEMPERATURE', operation, 'teacher', expected, received, { hint });
  }
}

/** Throws if an element makes a loss with a sparse teacher infinite or NaN; names the element. */
export function explainSparse<T extends FloatArray>(
  batch: DistillationBatch<T, SparseTargets<T>> & { readonly teacher: SparseTargets<T> },
  loss: ResponseLoss,
  ruledOutBy: RuledOutBy,
): void {
  const { operation, student, teacher, labels, rows } = batch;
  checkFinite(batch, -Infinity);
  if (labels) checkLabelAllowed(batch, labels, -Infinity);
  const soft = sparseRows(student, teacher, loss.terms.tail!);
  const temperatureOf = temperaturesOf(loss, batch);
  const k = teacher.values.columns;
  for (const row of rows) {
    const sides = { row, ...soft.load(row, temperatureOf(row), -1), ruledOut: -Infinity };
    // The bucket of the tail has no column.
    const columnOf = (i: number) => (i < k ? teacher.indices[row * k + i] : undefined);
    checkSides(operation, sides, ruledOutBy, columnOf);
    checkSomeAllowed(operation, sides, 'in some class that the teacher kept');
  }
}
