import { refuse, throwShape } from '../core/errors.js';
import { IGNORE_INDEX, SUM_TOLERANCE } from '../core/labels.js';
import type { FloatArray } from '../core/numeric.js';
import { NO_CLASS } from '../teachers/raggedRows.js';
import type { SparseTargets } from '../teachers/sparse.js';
import type { TeacherStoreDescription } from './description.js';
import { roundLogProbabilities } from './halves.js';
import type { Rows, RowTargets } from './rows.js';

/**
 * Checks sparse targets and copies them to the rows of a sequence from row `given` on, as they will
 * be read. A row without a class was not scored: its label becomes IGNORE_INDEX.
 */
export function storeTargets(
  operation: string,
  targets: SparseTargets<FloatArray>,
  description: TeacherStoreDescription,
  stored: Rows,
  given: number,
): void {
  checkKind(operation, targets, description);
  const { k = 0, precision } = description;
  const { indices, logProbabilities, logTail, counts } = stored.targets!;
  for (let row = 0; row < targets.values.rows; row++) {
    const at = (given + row) * k;
    const count = storeRow(operation, targets, row, stored.targets!, at, k);
    counts[given + row] = count;
    if (count === 0) {
      if (stored.labels) stored.labels[given + row] = IGNORE_INDEX;
      continue;
    }
    checkClasses(operation, indices.subarray(at, at + count), row);
    logTail[given + row] = targets.tailOf(row);
    checkSum(operation, targets, row, logProbabilities.subarray(at, at + count));
    if (precision === 'float16') roundLogProbabilities(logProbabilities.subarray(at, at + count));
  }
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
    refuse('TEMPERATURE', operation, 'targets', expected, String(temperature));
  }
}

/** Copies the classes of a row to `at`; returns how many there are. */
function storeRow(
  operation: string,
  targets: SparseTargets<FloatArray>,
  row: number,
  stored: RowTargets,
  at: number,
  k: number,
): number {
  const { indices, values, columns } = targets;
  const width = values.columns;
  let count = 0;
  for (let column = 0; column < width; column++) {
    const index = indices[row * width + column]!;
    if (index === NO_CLASS) continue;
    if (!(index >= 0 && index < columns)) {
      const expected = `hold classes in [0, ${columns}), or −1 for none`;
      const place = { row, column };
      refuse('OUT_OF_RANGE', operation, "targets' indices", expected, String(index), place);
    }
    const value = values.data[row * width + column]!;
    if (!(value <= SUM_TOLERANCE)) {
      const place = { row, column };
      const received = String(value);
      if (!(value < Infinity)) {
        refuse('NOT_FINITE', operation, 'targets', 'be finite', received, place);
      }
      refuse('PROBABILITIES', operation, 'targets', 'be log-probabilities ≤ 0', received, place);
    }
    if (count === k) {
      const hint = `keep the ${k} most probable classes, or create the store with a larger k`;
      const expected = `keep at most ${k} classes`;
      refuse('OUT_OF_RANGE', operation, 'targets', expected, 'more', { row, hint });
    }
    stored.indices[at + count] = index;
    stored.logProbabilities[at + count] = value;
    count++;
  }
  return count;
}

/** Throws for a class that a row has twice. */
function checkClasses(operation: string, classes: Int32Array, row: number): void {
  const sorted = classes.slice().sort();
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i] !== sorted[i - 1]) continue;
    const expected = 'hold each class once';
    refuse('OUT_OF_RANGE', operation, "targets' indices", expected, `${sorted[i]} again`, { row });
  }
}

/** Throws unless the probabilities of a row sum to 1 with the tail. */
function checkSum(
  operation: string,
  targets: SparseTargets<FloatArray>,
  row: number,
  logProbabilities: Float32Array,
): void {
  const logTail = targets.tailOf(row);
  let sum = Math.exp(logTail);
  for (const value of logProbabilities) sum += Math.exp(value);
  if (logTail <= SUM_TOLERANCE && Math.abs(sum - 1) <= SUM_TOLERANCE) return;
  const expected = `hold log-probabilities that sum to 1 (±${SUM_TOLERANCE}) with the tail`;
  const received = Number.isNaN(sum) ? `a tail of ${logTail}` : String(sum);
  refuse('NOT_A_DISTRIBUTION', operation, 'targets', expected, received, { row });
}
