import { type Grid, grid } from '../products/grid.js';
import { addSoftmaxAdjoint, softmax } from './softmax.js';

/**
 * Turns a loss of probabilities into a loss of logits. `loss` gets the softmax of the student's
 * rows, q, and of the teacher's rows, p, and adds d(loss) / d(q) to `slope`. The returned function
 * adds the derivative with respect to the student's rows to `derivative`.
 */
export function ofSoftmax(
  loss: (q: Grid, p: Grid, slope: Float64Array) => number,
): (student: Grid, teacher: Grid, derivative: Float64Array) => number {
  return (student, teacher, derivative) => {
    const { rows, columns } = student;
    const q = softmaxRows(student);
    const slope = new Float64Array(q.length);
    const value = loss(grid(q, rows, columns), grid(softmaxRows(teacher), rows, columns), slope);
    for (let k = 0; k < q.length; k++) slope[k]! *= q[k]!; // d(loss) / d(log q)
    for (let from = 0; from < q.length; from += columns) {
      const rowOf = (values: Float64Array): Float64Array => values.subarray(from, from + columns);
      addSoftmaxAdjoint(rowOf(q), rowOf(slope), 1, rowOf(derivative));
    }
    return value;
  };
}

function softmaxRows({ data, rows, columns }: Grid): Float64Array {
  const probabilities = new Float64Array(rows * columns);
  const log = new Float64Array(columns);
  for (let from = 0; from < probabilities.length; from += columns) {
    softmax(data, from, columns, log, probabilities.subarray(from, from + columns));
  }
  return probabilities;
}
