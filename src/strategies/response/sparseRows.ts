import { logSumExp } from '../../kernels/logSumExp.js';
import { soften } from '../../kernels/soften.js';
import type { Matrix } from '../../matrix.js';
import type { FloatArray } from '../../numeric.js';
import type { SparseTargets } from '../../sparse.js';
import type { SoftRows } from './softRows.js';

/** What becomes of the classes that a sparse teacher leaves out. */
export type Tail = 'bucket' | 'renormalize' | 'drop';

/**
 * Rows of the classes that the teacher kept and, unless the tail is renormalized away, of one more that stands for all
 * others: its logit is the log of their summed exponentials, and has their probability in a softmax.
 */
export function sparseRows<T extends FloatArray>(
  student: Matrix<T>,
  teacher: SparseTargets<T>,
  tail: Tail,
): SoftRows {
  const { columns } = student;
  const { indices, values } = teacher;
  const k = values.columns;
  const hasBucket = k < columns && tail !== 'renormalize';
  const reduced = hasBucket ? k + 1 : k;
  const x = new Float64Array(reduced);
  const y = new Float64Array(reduced);
  const derivative = new Float64Array(reduced);
  const rest = new Float64Array(hasBucket ? columns : 0);
  const shares = new Float64Array(rest.length);
  let temperature = 1;
  let first = 0;
  return {
    columns: reduced,
    terms: tail === 'drop' ? k : reduced,
    load(row, at) {
      temperature = at;
      first = row * k;
      const start = row * columns;
      // A softmax over the kept classes is the same for logits and for log-probabilities.
      const scale = teacher.temperature / at;
      for (let i = 0; i < k; i++) {
        x[i] = student.data[start + indices[first + i]!]! / at;
        y[i] = values.data[first + i]! * scale;
      }
      if (hasBucket) {
        soften(student.data, start, at, rest);
        for (let i = 0; i < k; i++) rest[indices[first + i]!] = -Infinity;
        x[k] = logSumExp(rest, 0, shares);
        y[k] = teacher.tailOf(row);
      } else if (!areLogits(student.data, start, columns)) {
        x[0] = Number.NaN; // though nobody would have read it
      }
      return { student: x, teacher: y, label: -1, derivative };
    },
    addDerivative(weight, target) {
      const scale = weight / temperature;
      for (let i = 0; i < k; i++) target[indices[first + i]!]! += scale * derivative[i]!;
      if (!hasBucket) return;
      const share = scale * derivative[k]!;
      for (let j = 0; j < columns; j++) target[j]! += share * shares[j]!;
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
