import { afterAll, describe, expect, test } from 'vitest';
import {
  type FloatArray,
  float32,
  float64,
  Matrix,
  MatrixArena,
  ResponseDistillationStrategy,
  selectKernel,
  UNLABELED,
} from '../../src/index.js';
import { describeKernels } from '../support/describeKernels.js';
import { refusal } from '../support/refusal.js';

const strategy = new ResponseDistillationStrategy<Float32Array>({ temperature: 2, alpha: 0.4 });

/** Fills both matrices with elements that all differ. */
function fill<T extends FloatArray>(student: Matrix<T>, teacher: Matrix<T>): void {
  for (let i = 0; i < student.data.length; i++) {
    student.data[i] = 4 * Math.sin(3 * i);
    teacher.data[i] = 4 * Math.cos(2 * i);
  }
}

function labelsFor(rows: number, columns: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, row) => (row % 5 === 4 ? UNLABELED : row % columns));
}

/** Student, teacher and gradient in an arena, with values. */
function inArena(arena: MatrixArena, rows: number, columns: number) {
  const student = arena.zeros(rows, columns);
  const teacher = arena.zeros(rows, columns);
  fill(student, teacher);
  return { student, teacher, gradient: arena.zeros(rows, columns) };
}

describeKernels('An arena', () => {
  test.each([
    [7, 10],
    [3, 4],
    [5, 1000],
    [5, 1001],
    [2, 5000],
  ])('gives the bits of the heap for %d × %d matrices', (rows, columns) => {
    const { student, teacher, gradient } = inArena(new MatrixArena(1 << 20), rows, columns);
    const labels = labelsFor(rows, columns);
    const expected = strategy.computeLossAndGradient(student.clone(), teacher.clone(), labels);
    const { loss } = strategy.computeLossAndGradient(student, teacher, labels, { gradient });
    expect(loss).toBe(expected.loss);
    expect(gradient.data).toEqual(expected.gradient.data);
    const fresh = strategy.computeLossAndGradient(student, teacher, labels);
    expect(fresh.gradient.data).toEqual(expected.gradient.data);
  });

  test.each([float32, float64])(
    'evaluates more rows than fit into its workspace: $dtype',
    (numeric) => {
      const arena = new MatrixArena(4 << 20);
      const fresh = () => arena.zeros<FloatArray>(2100, 16, numeric);
      const [student, teacher, gradient] = [fresh(), fresh(), fresh()];
      fill(student, teacher);
      const copies = [student.clone(), teacher.clone()] as const;
      const labels = labelsFor(2100, 16);
      const both = new ResponseDistillationStrategy<FloatArray>({ temperature: 2, alpha: 0.4 });
      const expected = both.computeLossAndGradient(...copies, labels);
      for (let i = 0; i < 2; i++) {
        const { loss } = both.computeLossAndGradient(student, teacher, labels, { gradient });
        expect(loss).toBe(expected.loss);
      }
      const isSame = (a: FloatArray, b: FloatArray) => a.every((value, i) => value === b[i]);
      expect(isSame(gradient.data, expected.gradient.data)).toBe(true);
      expect(isSame(student.data, copies[0].data)).toBe(true);
      expect(isSame(teacher.data, copies[1].data)).toBe(true);
    },
  );

  test('skips excluded rows, and accumulates on request', () => {
    const { student, teacher, gradient } = inArena(new MatrixArena(1 << 20), 6, 64);
    student.data.fill(Number.NaN, 2 * 64, 3 * 64);
    gradient.data.fill(5);
    const options = { mask: [1, 1, 0, 1, 0, 1] };
    const { loss } = strategy.computeLossAndGradient(student, teacher, undefined, {
      ...options,
      gradient,
    });
    const expected = strategy.computeLossAndGradient(
      student.clone(),
      teacher.clone(),
      undefined,
      options,
    );
    expect(loss).toBe(expected.loss);
    expect(gradient.data).toEqual(expected.gradient.data);
    strategy.computeGradient(student, teacher, undefined, {
      ...options,
      gradient,
      accumulate: true,
    });
    expect(gradient.data).toEqual(expected.gradient.data.map((value) => 2 * value));
  });

  test('leaves an accumulated gradient as it was if the call fails', () => {
    const { student, teacher, gradient } = inArena(new MatrixArena(1 << 20), 4, 64);
    gradient.data.fill(7);
    student.set(3, 63, Number.NaN);
    const options = { gradient, accumulate: true };
    expect(() => strategy.computeGradient(student, teacher, undefined, options)).toThrow(
      'student row 3, column 63 is NaN',
    );
    expect(gradient.data.every((value) => value === 7)).toBe(true);
  });

  test('accepts −Infinity where both sides have it', () => {
    const { student, teacher, gradient } = inArena(new MatrixArena(1 << 20), 3, 1040);
    for (let row = 0; row < 3; row++) {
      for (let column = 9; column < 1040; column += 3) {
        student.set(row, column, -Infinity);
        teacher.set(row, column, -Infinity);
      }
    }
    const { loss } = strategy.computeLossAndGradient(student, teacher, undefined, { gradient });
    expect(loss).toBe(strategy.computeLoss(student.clone(), teacher.clone()));
    expect(gradient.get(2, 9)).toBe(0);
    expect(gradient.get(2, 10)).not.toBe(0);
  });
});

describe('The memory of an arena', () => {
  test('holds both dtypes and never moves', () => {
    const arena = new MatrixArena(1 << 20);
    const first = arena.zeros(2, 4);
    first.data.fill(1);
    const second = arena.zeros(3, 500, float64);
    second.data.fill(2);
    expect(first.data).toEqual(new Float32Array(8).fill(1));
    expect(second.data.buffer).toBe(first.data.buffer);
    expect(second.numeric).toBe(float64);
    const wide = arena.zeros(1, 5000); // needs a larger workspace
    strategy.computeLoss(wide, wide.clone());
    new ResponseDistillationStrategy<Float64Array>().computeLoss(second, second);
    expect(first.data).toEqual(new Float32Array(8).fill(1));
    expect(second.data).toEqual(new Float64Array(1500).fill(2));
  });

  test('may extend beyond 2 GiB', () => {
    const arena = new MatrixArena(3 * 2 ** 30); // reserved, but never written
    arena.zeros(2 ** 29 + 2 ** 20, 1);
    const { student, teacher, gradient } = inArena(arena, 5, 1000);
    const labels = labelsFor(5, 1000);
    const expected = strategy.computeLossAndGradient(student.clone(), teacher.clone(), labels);
    const { loss } = strategy.computeLossAndGradient(student, teacher, labels, { gradient });
    expect(loss).toBe(expected.loss);
    expect(gradient.data).toEqual(expected.gradient.data);
  });

  test('is refused where it is too small or cannot be allocated', () => {
    const arena = new MatrixArena(100_000);
    const { free } = arena;
    expect(refusal(() => arena.zeros(1000, 1000))).toMatchObject({ code: 'OUT_OF_RANGE' });
    expect(arena.free).toBe(free); // nothing was allocated
    expect(refusal(() => new MatrixArena(2 ** 40))).toMatchObject({ code: 'OUT_OF_RANGE' });
    expect(refusal(() => new MatrixArena(0))).toMatchObject({ argument: 'bytes' });
    expect(refusal(() => arena.zeros(1, 0))).toMatchObject({ argument: 'columns' });
  });

  test("serves a matrix that is wider than the arena's own", () => {
    const arena = new MatrixArena(1 << 18);
    const { student, teacher, gradient } = inArena(arena, 64, 64);
    const wide = (matrix: Matrix<Float32Array>) => new Matrix(matrix.data, 1, 4096);
    const { loss } = strategy.computeLossAndGradient(wide(student), wide(teacher), undefined, {
      gradient: wide(gradient),
    });
    expect(loss).toBe(strategy.computeLoss(wide(student.clone()), wide(teacher.clone())));
  });
});

const hasThreads = await MatrixArena.withThreads(4096, 2).then(
  (arena) => {
    arena.close();
    return true;
  },
  () => false,
);

describe('The threads of an arena', () => {
  const open: MatrixArena[] = [];
  afterAll(() => {
    for (const arena of open) arena.close();
    selectKernel('auto');
  });

  test('are available in Node and in an isolated page', () => {
    expect(hasThreads).toBe(true);
  });

  test.each([2, 3])('give the bits of one thread: %d threads', async (threads) => {
    const arena = await MatrixArena.withThreads(32 << 20, threads);
    open.push(arena);
    expect(arena.threads).toBe(threads);
    for (const [rows, columns] of [
      [300, 1000],
      [2500, 64],
      [5, 30_000],
      [2, 100_000],
    ] as const) {
      const { student, teacher, gradient } = inArena(arena, rows, columns);
      const labels = labelsFor(rows, columns);
      const expected = strategy.computeLossAndGradient(student.clone(), teacher.clone(), labels);
      for (let i = 0; i < 5; i++) {
        gradient.data.fill(3);
        const { loss } = strategy.computeLossAndGradient(student, teacher, labels, { gradient });
        expect(loss).toBe(expected.loss);
        const isSame = gradient.data.every((value, j) => value === expected.gradient.data[j]);
        expect(isSame).toBe(true);
      }
    }
  });

  test('rest while another kernel is selected, and stop when they are closed', async () => {
    const arena = await MatrixArena.withThreads(4 << 20, 2);
    open.push(arena);
    const { student, teacher, gradient } = inArena(arena, 300, 1000);
    const { loss } = strategy.computeLossAndGradient(student, teacher, undefined, { gradient });
    selectKernel('scalar');
    const scalar = strategy.computeLossAndGradient(student, teacher, undefined, { gradient }).loss;
    selectKernel('auto');
    expect(scalar).not.toBe(loss);
    expect(Math.abs(scalar / loss - 1)).toBeLessThan(1e-6);
    arena.close();
    arena.close();
    expect(arena.threads).toBe(1);
    expect(strategy.computeLoss(student, teacher)).toBe(loss);
  });

  test('are refused without SIMD, and for an invalid number', async () => {
    await expect(MatrixArena.withThreads(4096, 0)).rejects.toMatchObject({ argument: 'threads' });
    await expect(MatrixArena.withThreads(0, 2)).rejects.toMatchObject({ argument: 'bytes' });
    await expect(MatrixArena.withThreads(4096, 99)).rejects.toMatchObject({ argument: 'threads' });
    selectKernel('scalar');
    await expect(MatrixArena.withThreads(4096, 2)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect((await MatrixArena.withThreads(4096, 1)).threads).toBe(1);
    selectKernel('auto');
  });
});

test('an arena allocates float32 by default', () => {
  expect(new MatrixArena(1 << 17).zeros(1, 1).numeric).toBe(float32);
});
