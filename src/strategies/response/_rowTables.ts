// The tables of a call: for each row its label or a mark, and the weights of its soft loss and of
// its hard loss.

import type { DistillationBatch } from '../../call/batch.js';
import { checkFinite } from '../../call/diagnosis.js';
import type { FloatArray } from '../../core/numeric.js';
import { DISTRIBUTION_ROW, EXCLUDED_ROW, UNLABELED_ROW } from '../../engine/layout.js';
import type { RowTables } from '../../engine/rowsCall.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import { labelLosses } from './_labels.js';
import type { ResponseTerms, TeacherShares } from './_terms.js';

const SOFT_ALONE: TeacherShares = { hard: 0, soft: 1 };

/** The tables of a call, with the loss of each row. */
export interface CallTables extends RowTables {
  readonly losses: Float64Array;
}

/** Tables with more rows are not kept, so that a strategy holds at most 115 kB between calls. */
const MOST_SPARE = 4096;

/**
 * Keeps the tables of a strategy from one call to the next: allocating typed arrays takes longer
 * than evaluating a short row.
 */
export class SpareTables {
  #spare: CallTables | undefined;

  /** Returns tables with unspecified content. A nested call finds none kept, and allocates. */
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

/** The part of a loss that its tables depend on. */
interface TableOptions {
  readonly terms: ResponseTerms;
  readonly standardizeLogits: boolean;
}

/**
 * Writes the labels and weights of a call, with the row weights as a factor. The factor T² of the
 * soft weights is added later, for each pass.
 */
export function fillTables<T extends FloatArray>(
  batch: DistillationBatch<T, SparseTargets<T>>,
  { terms: { sharesOf }, standardizeLogits }: TableOptions,
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
  { labels, weights, losses: studentLosses }: CallTables,
  sharesOf: NonNullable<ResponseTerms['sharesOf']>,
  standardizeLogits: boolean,
): void {
  const { student, rows, alpha } = batch;
  if (alpha === 1) return;
  const teacher = batch.teacher as typeof student; // a loss with shares refuses sparse teachers
  const teacherLosses = new Float64Array(student.rows);
  for (const row of rows) weights[2 * row + 1] = labels[row]! < 0 ? 0 : 1;
  const { columns } = student;
  labelLosses({ student: student.data, columns, labels, weights }, studentLosses);
  labelLosses({ student: teacher.data, columns, labels, weights }, teacherLosses);
  let isUnevaluated = false;
  for (const row of rows) {
    const losses = { student: studentLosses[row]!, teacher: teacherLosses[row]! };
    const { hard, soft } = labels[row]! < 0 ? SOFT_ALONE : sharesOf(losses, row);
    weights[2 * row] = (1 - alpha) * soft;
    weights[2 * row + 1] = alpha + (1 - alpha) * hard;
    isUnevaluated ||= soft === 0;
  }
  // A soft loss of weight 0 is not evaluated, so it cannot refuse NaN or +Infinity in its row.
  if (isUnevaluated) checkFinite(batch, standardizeLogits ? undefined : -Infinity);
}
