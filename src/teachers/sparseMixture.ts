import type { FloatArray } from '../core/numeric.js';
import { logSumExp } from '../kernels/rows/logSumExp.js';
import { NO_CLASS, type SparseRow, UNUSABLE_ROW } from './raggedRows.js';
import type { SparseTargets } from './sparse.js';

/** A sparse teacher, and what it counts for: > 0. */
export interface WeightedTargets<T extends FloatArray> {
  readonly teacher: SparseTargets<T>;
  readonly weight: number;
}

/**
 * Σ weight · p of a row, for the classes that any of the teachers keeps. To a class that it does
 * not keep, a teacher gives nothing: the probability stays in the tail. Where together they keep
 * all classes there is no tail, and the sum is divided by what it lacks.
 */
export function mixRow<T extends FloatArray>(
  parts: readonly WeightedTargets<T>[],
  row: number,
): SparseRow {
  const { length } = parts;
  const terms = new Map<number, Float64Array>(); // by class, a logarithm for each teacher
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
