import { type FloatArray, Matrix, ResponseDistillationStrategy } from 'knowledge-distillation';
import { ALPHA, type Contestant, type Problem, prepared, TEMPERATURE } from './problem.js';

function matrices({
  student,
  teacher,
  rows,
  columns,
}: Problem): [Matrix<FloatArray>, Matrix<FloatArray>] {
  return [new Matrix(student, rows, columns), new Matrix(teacher, rows, columns)];
}

/** This library, with a new gradient for each step. */
export const library: Contestant = {
  name: 'this library',
  prepare: async (problem) => {
    const strategy = new ResponseDistillationStrategy<FloatArray>({
      temperature: TEMPERATURE,
      alpha: ALPHA,
    });
    const [student, teacher] = matrices(problem);
    return prepared(() => strategy.computeLossAndGradient(student, teacher, problem.labels).loss);
  },
};
