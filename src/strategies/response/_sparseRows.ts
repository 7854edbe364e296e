import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import { logSumExp } from '../../kernels/rows/logSumExp.js';
import { soften } from '../../kernels/rows/soften.js';
import { NO_CLASS } from '../../teachers/raggedRows.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import type { SoftRows } from './_softRows.js';
import type { SoftTemperatures } from './_temperatures.js';
import type { Tail } from './_terms.js';

/** Number of columns of a row of kept classes, with one more for the bucket of all others. */
export function reducedColumns(teacher: SparseTargets<FloatArray>, tail: Tail): number {
  const k = teacher.values.columns;
  return tail === 'renormalize' || teacher.keepsAll() ? k : k + 1;
}

/** Number of leading columns of a row of kept classes that enter the loss. */
export function termsOf(
  { values: { columns: k } }: SparseTargets<FloatArray>,
  tail: Tail,
  reduced: number,
): number {
  return tail === 'drop' ? k : reduced;
}

/**
 * The place of a class among the kept classes of a row; −1 for no class, and for a class that the
 * teacher did not keep.
 */
export function placeOf(
  { indices, values: { columns: k } }: SparseTargets<FloatArray>,
  row: number,
  label: number,
): number {
  return label < 0 ? -1 : indices.subarray(row * k, (row + 1) * k).indexOf(label);
}

/**
 * The rows of the kept classes. Unless the tail is renormalized away, a row has one more column,
 * the bucket of all other classes. Its logit is the log of their summed exponentials, so a softmax
 * gives it their probability.
 */
export function sparseRows<T extends FloatArray>(
  student: Matrix<T>,
  teacher: SparseTargets<T>,
  tail: Tail,
): SoftRows {
  const { columns } = student;
  const { indices } = teacher;
  const k = teacher.values.columns;
  const reduced = reducedColumns(teacher, tail);
  const hasBucket = reduced > k;
  const x = new Float64Array(reduced);
  const y = new Float64Array(reduced);
  const derivative = new Float64Array(reduced);
  const others = new Float64Array(columns);
  const shares = new Float64Array(hasBucket ? columns : 0);
  let kept = indices.subarray(0, k);
  let temperature = 1;
  return {
    columns: reduced,
    terms: termsOf(teacher, tail, reduced),
    load(row, at, label) {
      temperature = at.student;
      kept = indices.subarray(row * k, (row + 1) * k);
      soften(student.data, row * columns, at.student, others);
      const isUsable = others.every((logit) => logit < Infinity);
      gather(student, teacher, row, at, x, y);
      if (hasBucket) {
        for (const column of kept) if (column !== NO_CLASS) others[column] = -Infinity;
        x[k] = logSumExp(others, 0, shares);
        y[k] = teacher.tailOf(row);
      }
      if (!isUsable) x[0] = Number.NaN; // a NaN outside the kept classes is refused, too
      return { student: x, teacher: y, label: placeOf(teacher, row, label), derivative };
    },
    addDerivative(weight, target) {
      const factor = weight / temperature;
      for (let i = 0; i < k; i++) {
        if (kept[i] !== NO_CLASS) target[kept[i]!]! += factor * derivative[i]!;
      }
      if (!hasBucket) return;
      for (let j = 0; j < columns; j++) target[j]! += factor * derivative[k]! * shares[j]!;
    },
  };
}

/**
 * Writes the logits of the kept classes of a row on both sides, divided by the temperature. A place
 * without a class has −Infinity on both sides.
 */
export function gather<T extends FloatArray>(
  student: Matrix<T>,
  { indices, values, temperature }: SparseTargets<T>,
  row: number,
  at: SoftTemperatures,
  x: Float64Array,
  y: Float64Array,
): void {
  const k = values.columns;
  // A softmax over the kept classes is the same for logits and for log-probabilities.
  const scale = temperature / at.teacher;
  for (let i = 0; i < k; i++) {
    const index = indices[row * k + i]!;
    const isKept = index !== NO_CLASS;
    x[i] = isKept ? student.data[row * student.columns + index]! / at.student : -Infinity;
    y[i] = isKept ? values.data[row * k + i]! * scale : -Infinity;
  }
}
