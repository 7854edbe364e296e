import { type Grid, grid } from '../products/grid.js';
import { addSoftmaxAdjoint, softmax } from './softmax.js';

/**
 * A loss of the softmax of rows as one of the rows: for a loss of q and p, those of the student and
 * of the teacher, that adds its derivative by q to `slope`. The derivative by the student's rows is
 * added to `derivative`.
 */
export function ofSoftmax(
  loss: (q: Grid, p: Grid, slope: Float64Array) => number,
): (student: Grid, teacher: Grid, derivative: Float64Array) => number {
  return (student, teacher, derivative) => {
    const { rows, columns } = student;
    const q = softmaxRows(student);
    const slope = new Float64Array(q.length);
    const value = loss(grid(q, rows, columns), grid(softmaxRows(teacher), rows, columns), slope);
    for (let k = 0; k < q.length; k++) slope[k]! *= q[k]!; // by log q
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
