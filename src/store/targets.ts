import { refuse, throwShape } from '../core/errors.js';
import { IGNORE_INDEX } from '../core/labels.js';
import type { FloatArray } from '../core/numeric.js';
import { NO_CLASS } from '../teachers/raggedRows.js';
import type { SparseTargets } from '../teachers/sparse.js';
import { checkSparseRows } from '../teachers/sparseCheck.js';
import type { TeacherStoreDescription } from './description.js';
import { roundLogProbabilities } from './halfPrecision.js';
import { type Rows, type RowTargets, scoredRows, toSparseTargets } from './rows.js';

/** Returns the number of classes that each row keeps. */
export function countClasses({ indices, values }: SparseTargets<FloatArray>): Int32Array {
  const counts = new Int32Array(values.rows);
  for (let i = 0; i < indices.length; i++) {
    if (indices[i] !== NO_CLASS) counts[Math.floor(i / values.columns)]!++;
  }
  return counts;
}

/**
 * Checks sparse targets and copies them to the rows of a sequence, beginning at row `start`, in the
 * form in which they will be read. A row without a class was not scored: its label becomes
 * IGNORE_INDEX.
 */
export function storeTargets(
  operation: string,
  targets: SparseTargets<FloatArray>,
  description: TeacherStoreDescription,
  { targets: all, labels }: Rows,
  start: number,
): void {
  checkKind(operation, targets, description);
  const k = description.k!;
  const counts = countClasses(targets);
  for (const [row, count] of counts.entries()) {
    if (count <= k) continue;
    const hint = `keep the ${k} most probable classes, or create the store with a larger k`;
    const expected = `keep at most ${k} classes`;
    refuse('OUT_OF_RANGE', operation, 'targets', expected, String(count), { row, hint });
  }
  const stored: RowTargets = {
    indices: all!.indices.subarray(start * k),
    logProbabilities: all!.logProbabilities.subarray(start * k),
    logTail: all!.logTail.subarray(start),
    counts: all!.counts.subarray(start),
  };
  stored.counts.set(counts);
  const scored = scoredRows(stored);
  checkSparseRows(operation, targets, scored, 'targets');
  labels?.subarray(start).forEach((_, row, own) => {
    if (counts[row] === 0) own[row] = IGNORE_INDEX;
  });
  for (const row of scored) {
    copyClasses(targets, row, stored, row * k);
    stored.logTail[row] = targets.tailOf(row);
    const own = stored.logProbabilities.subarray(row * k, row * k + counts[row]!);
    if (description.precision === 'float16') roundLogProbabilities(own);
  }
  // Rounding can move a sum that was just within the tolerance out of it.
  checkSparseRows(operation, toSparseTargets(stored, description), scored, 'targets');
}

/** Throws unless the targets are log-probabilities of the store's classes and temperature. */
function checkKind(
  operation: string,
  { kind, columns, temperature, values }: SparseTargets<FloatArray>,
  description: TeacherStoreDescription,
): void {
  if (kind === 'logits') {
    const hint = 'SparseTargets.topK(logits of all classes, k) has log-probabilities';
    refuse('OUT_OF_RANGE', operation, 'targets', 'hold log-probabilities', 'logits', { hint });
  }
  if (columns !== description.columns) {
    const expected = [values.rows, description.columns!];
    throwShape(operation, 'targets', [values.rows, columns], expected, 'the classes of the store');
  }
  if (temperature !== description.temperature) {
    const expected = `have temperature ${description.temperature}, as the store`;
    const own = description.temperature;
    const topK = `take SparseTargets.topK(logits, k, { temperature: ${own} })`;
    const other =
      temperature === 1
        ? "server replies are at temperature 1: create the store with temperature 1 and train with tail: 'renormalize'"
        : `or create the store with temperature ${temperature}`;
    const hint = `${topK}; ${other}`;
    refuse('TEMPERATURE', operation, 'targets', expected, String(temperature), { hint });
  }
}

/** Copies the classes of a row, beginning at index `at`. */
function copyClasses(
  { indices, values }: SparseTargets<FloatArray>,
  row: number,
  stored: RowTargets,
  at: number,
): void {
  const width = values.columns;
  let next = at;
  for (let i = row * width; i < (row + 1) * width; i++) {
    if (indices[i] === NO_CLASS) continue;
    stored.indices[next] = indices[i]!;
    stored.logProbabilities[next++] = values.data[i]!;
  }
}
