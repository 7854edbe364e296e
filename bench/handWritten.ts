import { type Contestant, prepared } from './compete.js';
import { ALPHA, type Problem, TEMPERATURE } from './problem.js';

/** A hand-written loss of twenty lines, as users write it: arrays of rows, map and reduce. */
function logSoftmax(row: number[], temperature: number): number[] {
  const scaled = row.map((x) => x / temperature);
  const max = scaled.reduce((a, b) => Math.max(a, b));
  const logSum = max + Math.log(scaled.map((z) => Math.exp(z - max)).reduce((a, b) => a + b));
  return scaled.map((z) => z - logSum);
}

function step(
  students: number[][],
  teachers: number[][],
  labels: Int32Array,
): { loss: number; gradient: number[][] } {
  let loss = 0;
  const gradient = students.map((student, i) => {
    const logP = logSoftmax(teachers[i]!, TEMPERATURE);
    const logQ = logSoftmax(student, TEMPERATURE);
    const hard = logSoftmax(student, 1);
    const label = labels[i]!;
    const divergence = logP.map((lp, j) => Math.exp(lp) * (lp - logQ[j]!)).reduce((a, b) => a + b);
    loss += (1 - ALPHA) * TEMPERATURE ** 2 * divergence - ALPHA * hard[label]!;
    return student.map((_, j) => {
      const soft = TEMPERATURE * (Math.exp(logQ[j]!) - Math.exp(logP[j]!));
      const cross = Math.exp(hard[j]!) - (j === label ? 1 : 0);
      return ((1 - ALPHA) * soft + ALPHA * cross) / students.length;
    });
  });
  return { loss: loss / students.length, gradient };
}

export const handWritten: Contestant<Problem> = {
  name: 'JavaScript by hand',
  prepare: async ({ student, teacher, labels, rows, columns, dtype }) => {
    if (dtype !== 'float64') return undefined; // numbers of JavaScript are float64
    const toRows = (data: ArrayLike<number>) =>
      Array.from({ length: rows }, (_, i) =>
        Array.from({ length: columns }, (_, j) => data[i * columns + j]!),
      );
    const [students, teachers] = [toRows(student), toRows(teacher)];
    return prepared(() => step(students, teachers, labels).loss);
  },
};
