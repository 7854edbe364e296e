import type { FloatArray } from '../core/numeric.js';
import { logSumExp } from '../kernels/rows/logSumExp.js';
import { NO_CLASS, type SparseRow, UNUSABLE_ROW } from './raggedRows.js';
import type { SparseTargets } from './sparse.js';

/** A sparse teacher with its weight, which is > 0. */
export interface WeightedTargets<T extends FloatArray> {
  readonly teacher: SparseTargets<T>;
  readonly weight: number;
}

/**
 * Returns Σ weight · p of a row, for each class that any of the teachers keeps. A teacher that does
 * not keep the class adds 0: the probability stays in its tail. If the teachers together keep all
 * classes, there is no tail: the probabilities are normalized to the sum 1.
 */
export function mixRow<T extends FloatArray>(
  parts: readonly WeightedTargets<T>[],
  row: number,
): SparseRow {
  const { length } = parts;
  const terms = new Map<number, Float64Array>(); // class → log(weight · p) of each teacher
  const tails = new Float64Array(length);
  for (const [part, { teacher, weight }] of parts.entries()) {
    const { indices, values, columns } = teacher;
    const k = values.columns;
    let count = 0;
    for (let i = row * k; i < (row + 1) * k; i++) {
      const index = indices[i]!;
      if (index === NO_CLASS) continue;
      count++;
      const ofClass = terms.get(index) ?? new Float64Array(length).fill(-Infinity);
      const isTwice = ofClass[part] !== -Infinity;
      if (isTwice || index < 0 || index >= columns) return UNUSABLE_ROW;
      ofClass[part] = Math.log(weight) + values.data[i]!;
      terms.set(index, ofClass);
    }
    if (count === 0) return { classes: [], logProbabilities: [], logTail: 0 };
    tails[part] = Math.log(weight) + teacher.tailOf(row);
  }
  const shares = new Float64Array(length);
  const classes = [...terms.keys()];
  const mixed = Float64Array.from(terms.values(), (ofClass) => logSumExp(ofClass, 0, shares));
  const isWhole = classes.length === parts[0]!.teacher.columns;
  const total = isWhole ? logSumExp(mixed, 0, new Float64Array(mixed.length)) : 0;
  return {
    classes,
    logProbabilities: Array.from(mixed, (log) => log - total),
    logTail: isWhole ? -Infinity : logSumExp(tails, 0, shares),
  };
}
