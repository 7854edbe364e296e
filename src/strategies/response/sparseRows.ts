import type { GradientSink } from '../../call/gradient.js';
import type { Matrix } from '../../core/matrix.js';
import type { FloatArray } from '../../core/numeric.js';
import { tails } from '../../kernels/rows/tail.js';
import type { SparseTargets } from '../../teachers/sparse.js';
import type { SoftRows } from './softRows.js';

/** @inline What becomes of the classes that a sparse teacher leaves out. */
export type Tail = 'bucket' | 'renormalize' | 'drop';

/** Rows of the classes that the teacher kept. */
export interface SparseRows extends SoftRows {
  /** Adds weight × the derivative of the row that is loaded, by the student's raw logits, to the gradient. */
  addTo(row: number, weight: number, gradient: GradientSink<FloatArray>): void;
}

/**
 * Rows of the classes that the teacher kept and, unless the tail is renormalized away, of one more that stands for all
 * others: its logit is the log of their summed exponentials, and has their probability in a softmax.
 */
export function sparseRows<T extends FloatArray>(
  student: Matrix<T>,
  teacher: SparseTargets<T>,
  tail: Tail,
): SparseRows {
  const { columns } = student;
  const { indices, values } = teacher;
  const k = values.columns;
  const hasBucket = k < columns && tail !== 'renormalize';
  const reduced = hasBucket ? k + 1 : k;
  const x = new Float64Array(reduced);
  const y = new Float64Array(reduced);
  const derivative = new Float64Array(reduced);
  const others = hasBucket ? tails(student.data, columns) : undefined;
  const plain = student.numeric.allocate(others ? 0 : columns);
  let kept = indices.subarray(0, k);
  let temperature = 1;
  return {
    columns: reduced,
    terms: tail === 'drop' ? k : reduced,
    load(row, at) {
      temperature = at;
      const start = row * columns;
      // A softmax over the kept classes is the same for logits and for log-probabilities.
      const scale = teacher.temperature / at;
      kept = indices.subarray(row * k, (row + 1) * k);
      for (let i = 0; i < k; i++) {
        x[i] = student.data[start + kept[i]!]! / at;
        y[i] = values.data[row * k + i]! * scale;
      }
      if (others) {
        x[k] = others.read(start, at, kept);
        y[k] = teacher.tailOf(row);
      } else if (!areLogits(student.data, start, columns)) {
        x[0] = Number.NaN; // though nobody would have read it
      }
      return { student: x, teacher: y, label: -1, derivative };
    },
    addDerivative(weight, target) {
      for (let i = 0; i < k; i++) target[kept[i]!]! += (weight / temperature) * derivative[i]!;
      if (!others) return;
      const rest = others.spread((weight / temperature) * derivative[k]!);
      for (let j = 0; j < columns; j++) target[j]! += rest[j]!;
    },
    addTo(row, weight, gradient) {
      const scale = weight / temperature;
      const values = others ? others.spread(scale * derivative[k]!) : plain.fill(0);
      for (let i = 0; i < k; i++) values[kept[i]!] = scale * derivative[i]!;
      gradient.add(row, values);
    },
  };
}

/** Whether no entry of a row is NaN or +Infinity. */
function areLogits(values: FloatArray, offset: number, columns: number): boolean {
  for (let j = 0; j < columns; j++) {
    if (!(values[offset + j]! < Infinity)) return false;
  }
  return true;
}
