import { DistillationError } from '../core/errors.js';
import { IGNORE_INDEX, UNLABELED } from '../core/labels.js';
import { checkSparseRows } from '../teachers/sparseCheck.js';
import type { TeacherStoreDescription } from './description.js';
import { NO_TOKEN, type Rows, scoredRows, toSparseTargets } from './rows.js';

/** Describes the first value that no writer stores; undefined if all values are valid. */
export function findFault(
  { tokens, labels, targets, dense }: Rows,
  description: TeacherStoreDescription,
): string | undefined {
  const { columns: classes = 2 ** 31 } = description;
  for (const [row, token] of (tokens ?? []).entries()) {
    if (token < NO_TOKEN) return `token ${token} in row ${row}`;
  }
  for (const [row, label] of (labels ?? []).entries()) {
    const isLabel = label >= 0 ? label < classes : label === UNLABELED || label === IGNORE_INDEX;
    if (!isLabel) return `label ${label} in row ${row}`;
  }
  for (const name in dense) {
    const at = dense[name]!.findIndex((value) => !(value < Infinity));
    if (at >= 0) return `${name} ${dense[name]![at]}`;
  }
  if (!targets) return undefined;
  try {
    checkSparseRows('', toSparseTargets(targets, description), scoredRows(targets));
    return undefined;
  } catch (error) {
    if (!(error instanceof DistillationError)) throw error;
    const { row, expected, received } = error;
    return `targets in row ${row} that have to ${expected}, but have ${received}`;
  }
}
