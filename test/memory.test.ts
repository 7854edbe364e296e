import { afterEach, expect, test, vi } from 'vitest';
import { float64, Matrix } from '../src/index.js';
import { subjects } from './subjects/index.js';

// Nothing but the gradient grows with rows × columns. What is counted are the arrays made with
// `new`, views apart.

const ROWS = 3000;

/** Counts the entries of all arrays that are created with `new` until the globals are restored. */
function countEntries(): () => number {
  let entries = 0;
  for (const name of ['Float32Array', 'Float64Array', 'Int32Array', 'Array'] as const) {
    const original: new (...parameters: never[]) => ArrayLike<unknown> = globalThis[name];
    vi.stubGlobal(
      name,
      new Proxy(original, {
        construct(target, parameters, newTarget) {
          const array = Reflect.construct(target, parameters, newTarget);
          if (!((parameters[0] as unknown) instanceof ArrayBuffer)) entries += array.length;
          return array;
        },
      }),
    );
  }
  return () => entries;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

// What is selected of a contrastive memory is more than its rows: they are embedded all at once.
const { ContrastiveRepresentationDistillationStrategy: _, ...rowByRow } = subjects;

const cells = Object.entries(rowByRow).flatMap(([strategy, byCell]) =>
  Object.entries(byCell)
    // The bare interface returns a matrix of its own, and what relates rows to each other needs all
    // of them at once.
    .filter(([cell, { sumOverRows = true }]) => sumOverRows && !cell.includes('bare'))
    .map(([cell, subject]) => ({ name: `${strategy}, ${cell}`, subject })),
);

test.each(cells)(
  '$name: a call allocates no more than a few rows beside the gradient',
  ({ subject }) => {
    const { columns = 40 } = subject;
    const width = typeof columns === 'number' ? { student: columns, teacher: columns } : columns;
    const constant = (size: number) => {
      const matrix = Matrix.zeros(ROWS, size, float64);
      matrix.data.fill(1 / size); // a probability, too
      return matrix;
    };
    const [student, teacher] = [constant(width.student), constant(width.teacher)];
    const gradient = student.zerosLike();
    const strategy = subject.create(float64);
    const labels = subject.labels === 'classes' ? new Int32Array(ROWS) : undefined;
    const entries = countEntries();
    strategy.computeGradient(student, teacher, labels, { gradient });
    // A few rows, and the label, the weights and the loss of each row; a bare strategy returns a
    // matrix of its own.
    const tables = 4 * ROWS;
    const few = ROWS * Math.min(width.student, width.teacher, 12);
    expect(entries()).toBeLessThan(few + tables);
  },
);
