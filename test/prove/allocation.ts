import { expect, test, vi } from 'vitest';
import { float64, Matrix } from '../../src/index.js';
import type { StrategySubject } from '../../src/testing/index.js';
import { widthsOf } from './call.js';

const ROWS = 3000;

/**
 * Counts the elements of all arrays that `new` creates, without views, until the globals are
 * restored.
 */
function countElements(): () => number {
  let elements = 0;
  for (const name of ['Float32Array', 'Float64Array', 'Int32Array', 'Array'] as const) {
    const original: new (...parameters: never[]) => ArrayLike<unknown> = globalThis[name];
    vi.stubGlobal(
      name,
      new Proxy(original, {
        construct(target, parameters, newTarget) {
          const array = Reflect.construct(target, parameters, newTarget);
          if (!((parameters[0] as unknown) instanceof ArrayBuffer)) elements += array.length;
          return array;
        },
      }),
    );
  }
  return () => elements;
}

/** Registers that only the gradient has memory proportional to rows × columns. */
export function proveAllocation(subject: StrategySubject): void {
  test('a call allocates at most a few rows beside the gradient', () => {
    const width = widthsOf(subject, 40);
    const constant = (size: number) => {
      const matrix = Matrix.zeros(ROWS, size, float64);
      matrix.data.fill(1 / size); // a valid probability, too
      return matrix;
    };
    const [student, teacher] = [constant(width.student), constant(width.teacher)];
    const gradient = student.zerosLike();
    const strategy = subject.create(float64);
    const labels = subject.labels === 'classes' ? new Int32Array(ROWS) : undefined;
    const elements = countElements();
    try {
      strategy.computeGradient(student, teacher, labels, { gradient });
    } finally {
      vi.unstubAllGlobals();
    }
    // A few rows, and the label, the weights and the loss of each row.
    const tables = 4 * ROWS;
    const few = ROWS * Math.min(width.student, width.teacher, 12);
    expect(elements()).toBeLessThan(few + tables);
  });
}
