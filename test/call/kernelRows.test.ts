import { expect, test } from 'vitest';
import {
  AttentionTransferDistillationStrategy,
  type DistillationStrategyBase,
  FeatureDistillationStrategy,
  float32,
  float64,
  Matrix,
  MatrixArena,
  PatientDistillationStrategy,
  selectKernel,
} from '../../src/index.js';
import { describeKernels } from '../support/describeKernels.js';

const ROWS = 1030; // more rows than a kernel evaluates at a time
const COLUMNS = 80;

function fill(matrix: Matrix, phase: number): Matrix {
  for (let i = 0; i < matrix.data.length; i++) matrix.data[i] = Math.sin(12.9898 * i + phase);
  return matrix;
}

const strategies: readonly DistillationStrategyBase[] = [
  new FeatureDistillationStrategy(),
  new FeatureDistillationStrategy({ metric: 'cosine' }),
  new PatientDistillationStrategy(),
  new AttentionTransferDistillationStrategy({ channels: 8 }),
];

describeKernels('Rows of a feature loss', () => {
  test('have the same bits in an arena, on threads, and in arrays', async () => {
    const arena = await MatrixArena.withThreads(2_000_000, 2).catch(
      () => new MatrixArena(2_000_000),
    );
    const student = fill(arena.zeros(ROWS, COLUMNS), 0.5);
    const teacher = fill(arena.zeros(ROWS, COLUMNS), 2);
    const gradient = arena.zeros(ROWS, COLUMNS);
    for (const strategy of strategies) {
      const options = { mask: Array.from({ length: ROWS }, (_, row) => Number(row % 7 > 0)) };
      const expected = strategy.computeLossAndGradient(
        student.clone(),
        teacher.clone(),
        undefined,
        options,
      );
      const { loss } = strategy.computeLossAndGradient(student, teacher, undefined, {
        ...options,
        gradient,
      });
      expect(loss).toBe(expected.loss);
      expect(gradient.data).toEqual(expected.gradient.data);
    }
    arena.close();
  });

  test.each([float32, float64])(
    'are evaluated in JavaScript where the kernel overflows: $dtype',
    (numeric) => {
      // The squares of the first row overflow the dtype.
      const huge = numeric.dtype === 'float32' ? 2 ** 100 : 2 ** 600;
      const rows = (values: number[][]): Matrix<Float32Array | Float64Array> =>
        Matrix.fromRows<Float32Array | Float64Array>(values, numeric);
      const student = rows([
        [huge, 0],
        [3, 0],
        [0, 0],
      ]);
      const teacher = rows([
        [huge, 2 * huge],
        [0, 4],
        [1, 0],
      ]);
      const cosine = new FeatureDistillationStrategy<Float32Array | Float64Array>({
        metric: 'cosine',
      });
      const { loss, gradient } = cosine.computeLossAndGradient(student, teacher);
      expect(loss).toBeCloseTo((1 - 1 / Math.sqrt(5) + 1 + 1) / 3, 7);
      // −(ŷ − cos x̂) / ‖x‖ over three rows
      expect(gradient.get(0, 1) * huge).toBeCloseTo(-2 / Math.sqrt(5) / 3, 6);
      expect(gradient.toRows()[1]).toEqual([0, numeric.round(-1 / 9)]);
      expect(gradient.toRows()[2]).toEqual([0, 0]);
    },
  );

  test('are evaluated exactly where their squared difference underflows', () => {
    const strategy = new FeatureDistillationStrategy();
    const student = Matrix.fromRows([[1e-30, 0, 0, 0]]);
    const { loss, gradient } = strategy.computeLossAndGradient(student, student.zerosLike());
    expect(loss / 1e-60).toBeCloseTo(0.25, 6);
    expect(gradient.get(0, 0) / 1e-30).toBeCloseTo(0.5, 6);
  });

  test('with an element that is not finite are refused by name, and leave an accumulated gradient as it was', () => {
    const student = fill(Matrix.zeros(3, 5), 0.5);
    const teacher = fill(Matrix.zeros(3, 5), 2);
    student.set(1, 2, Number.NaN);
    for (const strategy of strategies.slice(0, 3)) {
      const gradient = Matrix.fromRows(new Array(3).fill([1, 2, 3, 4, 5]));
      const options = { gradient, accumulate: true };
      expect(() => strategy.computeGradient(student, teacher, undefined, options)).toThrow(
        /student row 1, column 2/u,
      );
      expect(gradient.toRows()[0]).toEqual([1, 2, 3, 4, 5]);
    }
  });
});

test('the scalar kernel agrees with the other kernels', () => {
  const student = fill(Matrix.zeros(9, COLUMNS), 0.5);
  const teacher = fill(Matrix.zeros(9, COLUMNS), 2);
  for (const strategy of strategies) {
    const fast = strategy.computeLossAndGradient(student, teacher);
    selectKernel('scalar');
    const slow = strategy.computeLossAndGradient(student, teacher);
    selectKernel('auto');
    expect(fast.loss / slow.loss).toBeCloseTo(1, 6);
    const largest = Math.max(...slow.gradient.data.map(Math.abs));
    slow.gradient.data.forEach((expected, i) => {
      expect(Math.abs(fast.gradient.data[i]! - expected)).toBeLessThan(1e-6 * largest);
    });
  }
});
