// What each row of a call counts: its label or a mark, and the weights of its soft and of its hard
// loss.

import type { DistillationBatch } from '../../call/batch.js';
import { checkFinite } from '../../call/diagnosis.js';
import type { FloatArray } from '../../core/numeric.js';
import { DISTRIBUTION_ROW, EXCLUDED_ROW, UNLABELED_ROW } from '../../engine/layout.js';
import type { RowTables } from '../../engine/rowsCall.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import { labelLosses } from './_labels.js';
import type { ResponseTerms, TeacherShares } from './_terms.js';

const SOFT_ALONE: TeacherShares = { hard: 0, soft: 1 };

/** The tables of a call, and the losses of its rows. */
export interface CallTables extends RowTables {
  readonly losses: Float64Array;
}

/** Tables of more rows than this are not kept for the next call. */
const MOST_SPARE = 4096;

/**
 * The tables that the calls of one strategy use in turn: to make typed arrays takes longer than a
 * short row.
 */
export class SpareTables {
  #spare: CallTables | undefined;

  /** Tables that hold anything. A call within a call finds none, and makes its own. */
  take(rows: number): CallTables {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare?.labels.length === rows) return spare;
    const [labels, weights] = [new Int32Array(rows), new Float64Array(2 * rows)];
    return { labels, weights, losses: new Float64Array(rows) };
  }

  giveBack(tables: CallTables): void {
    if (tables.labels.length <= MOST_SPARE) this.#spare = tables;
  }
}

/** What the tables of a loss depend on. */
interface SharedLoss {
  readonly terms: ResponseTerms;
  readonly standardizeLogits: boolean;
}

/**
 * Writes labels and weights of a call, times those of its rows; the soft weights do not have the
 * factor of the temperature yet.
 */
export function fillTables<T extends FloatArray>(
  batch: DistillationBatch<T, SparseTargets<T>>,
  { terms: { sharesOf }, standardizeLogits }: SharedLoss,
  tables: CallTables,
): void {
  const { student, rows, classes, distributions, alpha } = batch;
  const { labels, weights } = tables;
  const isWhole = rows.length === student.rows;
  if (!isWhole) {
    labels.fill(EXCLUDED_ROW);
    weights.fill(0);
  }
  for (let i = 0; i < rows.length; i++) {
    const row = isWhole ? i : rows[i]!;
    const label = classes ? classes[row]! : distributions ? DISTRIBUTION_ROW : UNLABELED_ROW;
    labels[row] = label;
    const hard = label === UNLABELED_ROW ? 0 : alpha;
    weights[2 * row] = 1 - hard;
    weights[2 * row + 1] = hard;
  }
  if (sharesOf) applyShares(batch, tables, sharesOf, standardizeLogits);
  const { rowWeights } = batch;
  if (!rowWeights) return;
  for (const row of rows) {
    weights[2 * row]! *= rowWeights[row]!;
    weights[2 * row + 1]! *= rowWeights[row]!;
  }
}

function applyShares<T extends FloatArray>(
  batch: DistillationBatch<T, SparseTargets<T>>,
  { labels, weights, losses: ofStudent }: CallTables,
  sharesOf: NonNullable<ResponseTerms['sharesOf']>,
  standardizeLogits: boolean,
): void {
  const { student, rows, alpha } = batch;
  if (alpha === 1) return;
  const teacher = batch.teacher as typeof student; // such a loss takes no sparse teachers
  const ofTeacher = new Float64Array(student.rows);
  for (const row of rows) weights[2 * row + 1] = labels[row]! < 0 ? 0 : 1;
  const { columns } = student;
  labelLosses({ student: student.data, columns, labels, weights }, ofStudent);
  labelLosses({ student: teacher.data, columns, labels, weights }, ofTeacher);
  let isUnread = false;
  for (const row of rows) {
    const losses = { student: ofStudent[row]!, teacher: ofTeacher[row]! };
    const { hard, soft } = labels[row]! < 0 ? SOFT_ALONE : sharesOf(losses, row);
    weights[2 * row] = (1 - alpha) * soft;
    weights[2 * row + 1] = alpha + (1 - alpha) * hard;
    isUnread ||= soft === 0;
  }
  // A soft loss of weight 0 is not evaluated: what it refuses in such a row would not be noticed.
  if (isUnread) checkFinite(batch, standardizeLogits ? undefined : -Infinity);
}
