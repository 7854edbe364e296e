import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PRODUCT_WORKSPACE } from '../../src/engine/layout.js';
import {
  computeThroughHead,
  type FloatArray,
  float32,
  float64,
  type HeadLogits,
  HybridDistillationStrategy,
  JensenShannonDistillationStrategy,
  type Matrix,
  MatrixArena,
  type NumericTrait,
  ResponseDistillationStrategy,
  SparseTargets,
  selectKernel,
  type ThroughHeadOptions,
} from '../../src/index.js';
import { describeKernels } from '../support/describeKernels.js';
import { wave } from '../support/wave.js';

const MIB = 1 << 20;
const [ROWS, WIDTH, COLUMNS, CHUNK_ROWS] = [75, 36, 1003, 32];

function headOf<T extends FloatArray>(width: number, phase: number, numeric: NumericTrait<T>) {
  return {
    hidden: wave(ROWS, width, phase, numeric),
    weight: wave(width, COLUMNS, phase + 1, numeric),
    bias: wave(1, COLUMNS, phase + 2, numeric),
  };
}

/** Copies a matrix into an arena. */
function moved<T extends FloatArray>(arena: MatrixArena, matrix: Matrix<T>): Matrix<T> {
  const copy = arena.zeros(matrix.rows, matrix.columns, matrix.numeric);
  copy.data.set(matrix.data);
  return copy;
}

/** Returns the head with its weight in an arena. */
function withWeightIn<T extends FloatArray>(arena: MatrixArena, head: HeadLogits<T>) {
  return { ...head, weight: moved(arena, head.weight) };
}

/**
 * Scratch memory in bytes by the docstring of computeThroughHead: the buffers of a chunk, and a
 * workspace for each thread.
 */
function roomFor(sides: number, threads: number): number {
  const numbers = sides * (WIDTH + COLUMNS) + (WIDTH + COLUMNS);
  return 4 * CHUNK_ROWS * numbers + threads * PRODUCT_WORKSPACE;
}

const mask = Array.from({ length: ROWS }, (_, row) => (row % 7 === 3 ? 0 : 1));

/** Options, teachers and losses for which a head is evaluated in place, completely or in part. */
function casesOf<T extends FloatArray>(numeric: NumericTrait<T>) {
  const teacher = headOf(WIDTH + 8, 7, numeric);
  const logits = wave(ROWS, COLUMNS, 5, numeric);
  return [
    { teacher, options: {} },
    { teacher, options: { mask } },
    { teacher: logits, options: { mask } },
    { teacher: SparseTargets.topK(logits, 20, { temperature: 2 }), options: {} },
  ] satisfies {
    teacher: Matrix<T> | SparseTargets<T> | HeadLogits<T>;
    options: ThroughHeadOptions<T>;
  }[];
}

/**
 * Evaluates on the heap and in the arena, and expects the same bits and the same free memory of the
 * arena afterwards.
 */
function expectSame<T extends FloatArray>(arena: MatrixArena, numeric: NumericTrait<T>): void {
  const strategy = new ResponseDistillationStrategy<T>({ temperature: 2 });
  const head = headOf(WIDTH, 0, numeric);
  const student = withWeightIn(arena, head);
  const weight = moved(arena, head.weight); // with other values
  for (const { teacher, options } of casesOf(numeric)) {
    const given = 'hidden' in teacher ? withWeightIn(arena, teacher) : teacher;
    const all = { ...options, chunkRows: CHUNK_ROWS };
    const expected = computeThroughHead(strategy, head, teacher, undefined, all);
    const { free } = arena;
    const found = computeThroughHead(strategy, student, given, undefined, {
      ...all,
      gradients: { weight },
    });
    expect(arena.free).toBe(free);
    expect(found.gradients.weight).toBe(weight);
    expect(found.loss).toBe(expected.loss);
    for (const name of ['hidden', 'weight', 'bias'] as const) {
      const [actual, wanted] = [found.gradients[name]!.data, expected.gradients[name]!.data];
      expect(actual.every((value, i) => value === wanted[i])).toBe(true);
      expect(wanted.some((value) => value !== 0)).toBe(true);
    }
  }
}

describeKernels('A head with its weight in an arena', () => {
  test.each([float32, float64])('has the bits of a head on the heap: $dtype', (numeric) => {
    expectSame(new MatrixArena(8 * MIB), numeric as NumericTrait<FloatArray>);
  });

  test('is evaluated by copying if the arena is full', () => {
    const bytes = 4 * COLUMNS * (3 * WIDTH + WIDTH + 8); // for the weights in the arena
    const arena = new MatrixArena(bytes + 2 * 65536);
    expect(arena.free).toBeLessThan(bytes + roomFor(1, 1));
    const head = headOf(WIDTH, 0, float32);
    const student = withWeightIn(arena, head);
    const { free } = arena;
    const strategy = new ResponseDistillationStrategy();
    const teacher = headOf(WIDTH, 7, float32);
    const options = { chunkRows: CHUNK_ROWS };
    const found = computeThroughHead(strategy, student, teacher, undefined, options);
    const expected = computeThroughHead(strategy, head, teacher, undefined, options);
    expect(found.loss).toBe(expected.loss);
    expect(found.gradients.weight.data).toEqual(expected.gradients.weight.data);
    expect(arena.free).toBe(free);
  });

  test('accumulates into gradients in the arena', () => {
    const arena = new MatrixArena(8 * MIB);
    const student = withWeightIn(arena, headOf(WIDTH, 0, float32));
    const teacher = headOf(WIDTH, 7, float32);
    const strategy = new ResponseDistillationStrategy();
    const once = computeThroughHead(strategy, student, teacher).gradients;
    const weight = arena.zeros(WIDTH, COLUMNS);
    for (let i = 0; i < 2; i++) {
      const gradients = { weight };
      computeThroughHead(strategy, student, teacher, undefined, { gradients, accumulate: true });
    }
    expect(weight.data).toEqual(once.weight.data.map((value) => 2 * value));
  });

  test('returns its scratch memory if the call throws', () => {
    const arena = new MatrixArena(8 * MIB);
    const student = withWeightIn(arena, headOf(WIDTH, 0, float32));
    const weight = arena.zeros(WIDTH, COLUMNS);
    const { free } = arena;
    student.hidden.set(20, 3, Number.NaN);
    const teacher = headOf(WIDTH, 7, float32);
    const options = { chunkRows: CHUNK_ROWS, gradients: { weight } };
    const strategy = new ResponseDistillationStrategy();
    expect(() => computeThroughHead(strategy, student, teacher, undefined, options)).toThrow(
      'student.hidden row 20, column 3 is NaN',
    );
    expect(arena.free).toBe(free);
    const next = arena.zeros(100, COLUMNS);
    expect(next.data.every((value) => value === 0)).toBe(true);
  });

  test('leaves matrices alone that a strategy allocates meanwhile', () => {
    const arena = new MatrixArena(8 * MIB);
    const made: Matrix[] = [];
    class Maker extends JensenShannonDistillationStrategy {
      override checkRequest(
        ...request: Parameters<JensenShannonDistillationStrategy['checkRequest']>
      ) {
        made.push(arena.zeros(3, 8));
        made.at(-1)!.data.fill(made.length);
        return super.checkRequest(...request);
      }
    }
    const student = withWeightIn(arena, headOf(WIDTH, 0, float32));
    const teacher = headOf(WIDTH, 7, float32);
    const options = { chunkRows: CHUNK_ROWS, gradients: { weight: arena.zeros(WIDTH, COLUMNS) } };
    const hybrid = new HybridDistillationStrategy([
      { strategy: new ResponseDistillationStrategy(), weight: 1 },
    ]);
    computeThroughHead(hybrid, student, teacher, undefined, options);
    for (let i = 0; i < 2; i++) {
      computeThroughHead(new Maker(), student, teacher, undefined, options);
    }
    const last = arena.zeros(50, COLUMNS);
    last.data.fill(7);
    expect(made.length).toBeGreaterThan(1);
    for (const [i, { data }] of made.entries()) {
      expect(data.every((value) => value === i + 1)).toBe(true);
    }
  });
});

describe('A head on the threads of an arena', () => {
  const open: MatrixArena[] = [];
  beforeAll(() => selectKernel('auto'));
  afterAll(() => {
    for (const arena of open) arena.close();
  });

  test.each([1, 2, 3])('has the bits of a head on the heap: %d threads', async (threads) => {
    const arena = await MatrixArena.withThreads(8 * MIB, threads);
    open.push(arena);
    expectSame(arena, float32);
    arena.close();
    expectSame(arena, float32);
  });

  test('uses the free memory behind the matrices of the arena', async () => {
    for (const threads of [1, 2]) {
      const arena = await MatrixArena.withThreads(8 * MIB, threads);
      open.push(arena);
      const student = withWeightIn(arena, headOf(WIDTH, 0, float32));
      const teacher = withWeightIn(arena, headOf(WIDTH, 7, float32));
      const gradients = { weight: arena.zeros(WIDTH, COLUMNS) };
      const { buffer, byteOffset, byteLength } = gradients.weight.data;
      const behind = new Uint8Array(buffer, byteOffset + byteLength);
      const wasUsed = (end: number) =>
        behind.subarray(end - PRODUCT_WORKSPACE / 2, end).some((value) => value !== 0);
      const options = { chunkRows: CHUNK_ROWS, gradients };
      computeThroughHead(new ResponseDistillationStrategy(), student, teacher, undefined, options);
      expect(wasUsed(roomFor(2, threads))).toBe(true);
      expect(behind.subarray(roomFor(2, threads) + 1024).every((value) => value === 0)).toBe(true);
    }
  });
});
