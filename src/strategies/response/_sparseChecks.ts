import type { DistillationBatch } from '../../call/batch.js';
import {
  checkFinite,
  checkLabelAllowed,
  checkSides,
  checkSomeAllowed,
  type RuledOutBy,
} from '../../call/diagnosis.js';
import { refuse } from '../../core/errors.js';
import type { FloatArray } from '../../core/numeric.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import { sparseRows } from './_sparseRows.js';
import type { Tail } from './_terms.js';

/** Throws where a sparse teacher does not hold what the loss needs. */
export function checkSparse<T extends FloatArray>(
  { operation, rows, temperature }: DistillationBatch<T, SparseTargets<T>>,
  teacher: SparseTargets<T>,
  tail: Tail,
  standardizes: boolean,
): void {
  if (standardizes) {
    const expected = 'come with every logit of the teacher';
    refuse('MISPLACED_OPTION', operation, 'standardizeLogits', expected, 'SparseTargets');
  }
  teacher.check(operation, rows);
  if (teacher.values.columns === teacher.columns || tail === 'renormalize') return;
  const hint = "or choose tail: 'renormalize'";
  const expected = `hold log-probabilities at temperature ${temperature}, the strategy's`;
  if (teacher.kind === 'logits') {
    refuse('TEMPERATURE', operation, 'teacher', expected, 'logits', { hint });
  }
  if (teacher.temperature === temperature) return;
  const received = `temperature ${teacher.temperature}`;
  refuse('TEMPERATURE', operation, 'teacher', expected, received, { hint });
}

/** Throws at the entry that makes a loss of a sparse teacher infinite or NaN, if one is to blame. */
export function explainSparse<T extends FloatArray>(
  batch: DistillationBatch<T, SparseTargets<T>> & { readonly teacher: SparseTargets<T> },
  tail: Tail,
  ruledOutBy: RuledOutBy,
): void {
  const { operation, student, teacher, labels, rows, temperature } = batch;
  checkFinite(batch, -Infinity);
  if (labels) checkLabelAllowed(batch, labels, -Infinity);
  const soft = sparseRows(student, teacher, tail);
  const k = teacher.values.columns;
  for (const row of rows) {
    const sides = { row, ...soft.load(row, temperature, -1), ruledOut: -Infinity };
    // The bucket of the tail has no column.
    const columnOf = (i: number) => (i < k ? teacher.indices[row * k + i] : undefined);
    checkSides(operation, sides, ruledOutBy, columnOf);
    checkSomeAllowed(operation, sides, 'in some class that the teacher kept');
  }
}
