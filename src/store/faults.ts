import { IGNORE_INDEX, SUM_TOLERANCE, UNLABELED } from '../core/labels.js';
import type { TeacherStoreDescription } from './description.js';
import { NO_TOKEN, type Rows, type RowTargets } from './rows.js';

/** Returns the first value that no writer stores, in words. */
export function findFault(
  { tokens, labels, targets, dense }: Rows,
  { columns = 2 ** 31 }: TeacherStoreDescription,
): string | undefined {
  for (const [row, token] of (tokens ?? []).entries()) {
    if (token < NO_TOKEN) return `token ${token} in row ${row}`;
  }
  for (const [row, label] of (labels ?? []).entries()) {
    const isLabel = label >= 0 ? label < columns : label === UNLABELED || label === IGNORE_INDEX;
    if (!isLabel) return `label ${label} in row ${row}`;
  }
  for (const name in dense) {
    const at = dense[name]!.findIndex((value) => !(value < Infinity));
    if (at >= 0) return `${name} ${dense[name]![at]}`;
  }
  return targets && findTargetFault(targets, columns);
}

function findTargetFault(targets: RowTargets, columns: number): string | undefined {
  const { indices, logProbabilities, logTail, counts } = targets;
  const k = indices.length / counts.length;
  for (let row = 0; row < counts.length; row++) {
    if (!(logTail[row]! <= SUM_TOLERANCE)) return `log_tail ${logTail[row]} in row ${row}`;
    for (let i = row * k; i < row * k + counts[row]!; i++) {
      const index = indices[i]!;
      if (!(index >= 0 && index < columns)) return `class ${index} in row ${row}`;
      const value = logProbabilities[i]!;
      if (!(value <= SUM_TOLERANCE)) return `log-probability ${value} in row ${row}`;
    }
  }
  return undefined;
}
