import {
  type FloatArray,
  Matrix,
  ResponseDistillationStrategy,
  SparseTargets,
} from 'knowledge-distillation';
import { type Contestant, prepared } from './compete.js';
import { kernels, withKernel } from './library.js';
import { type Problem, TEMPERATURE } from './problem.js';

/** So many of the teacher's classes are kept. */
export const KEPT = 64;

export function name(kernel: string, isSparse: boolean): string {
  return `${kernel}, ${isSparse ? `the ${KEPT} largest classes` : 'all classes'}`;
}

/** The soft part of the response loss, and its gradient in a matrix that is there, of all that the teacher says and of its largest classes alone. */
export function library(): Contestant<Problem>[] {
  return kernels().flatMap((kernel) =>
    [false, true].map((isSparse) => ({
      name: name(kernel, isSparse),
      prepare: ({ student, teacher, rows, columns }) =>
        withKernel(kernel, async () => {
          const strategy = new ResponseDistillationStrategy<FloatArray>({
            temperature: TEMPERATURE,
          });
          const own = new Matrix(student, rows, columns);
          const all = new Matrix(teacher, rows, columns);
          const options = { temperature: TEMPERATURE };
          const target = isSparse ? SparseTargets.topK(all, KEPT, options) : all;
          const gradient = own.zerosLike(); // a new one takes longer than what is to be compared
          const { run } = await prepared(
            () => strategy.computeLossAndGradient(own, target, undefined, { gradient }).loss,
          );
          return { run }; // two losses that differ
        }),
    })),
  );
}
