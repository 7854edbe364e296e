import { describe, expect, test } from 'vitest';
import {
  ContrastiveMemory,
  type ContrastiveMemoryState,
  float32,
  float64,
} from '../../src/index.js';
import { refusal, wrong } from '../support/refusal.js';

describe('ContrastiveMemory', () => {
  test('starts with rows of mean length 1 that depend only on the seed', () => {
    const memory = new ContrastiveMemory(2000, 4, { seed: 3 });
    expect([memory.negatives, memory.momentum]).toEqual([16384, 0.5]);
    expect(memory.student.numeric).toBe(float32);
    for (const { data } of [memory.student, memory.teacher]) {
      expect(Math.max(...data.map(Math.abs))).toBeLessThanOrEqual(Math.fround(Math.sqrt(3 / 4)));
      const squares = data.reduce((sum, value) => sum + value * value, 0);
      expect(squares / 2000).toBeCloseTo(1, 1);
    }
    expect(memory.student.data).not.toEqual(memory.teacher.data);
    expect(new ContrastiveMemory(2000, 4, { seed: 3 }).teacher.data).toEqual(memory.teacher.data);
    expect(new ContrastiveMemory(2000, 4, { seed: 4 }).student.data).not.toEqual(
      memory.student.data,
    );
  });

  test('selects samples, each with random negatives out of all samples', () => {
    const memory = new ContrastiveMemory(5, 1, { negatives: 2000 });
    expect(memory.entries).toHaveLength(0);
    memory.select([4, 2]);
    const [first, second] = [memory.entries.slice(0, 2001), memory.entries.slice(2001)];
    expect([first[0], second[0], second.length]).toEqual([4, 2, 2001]);
    expect(first.slice(1)).not.toEqual(second.slice(1));
    const counts = [0, 1, 2, 3, 4].map((i) => first.slice(1).filter((entry) => entry === i).length);
    for (const count of counts) expect(Math.abs(count - 400)).toBeLessThan(80);
  });

  test('accepts negatives of the caller', () => {
    const memory = new ContrastiveMemory(5, 1, { negatives: 2 });
    const before = memory.state().generator;
    memory.select(Uint8Array.of(4, 2), [0, 1, 3, 0]);
    expect(memory.entries).toEqual(Int32Array.of(4, 0, 1, 2, 3, 0));
    expect(memory.state().generator).toBe(before);
  });

  test('resumes from its state with the same results', () => {
    const memory = new ContrastiveMemory(50, 3, { negatives: 8, seed: -7, numeric: float64 });
    memory.select([1, 2]);
    memory.logNormalizers = { student: 1.5, teacher: 2.5 };
    const state = memory.state();
    const restored = ContrastiveMemory.restore(structuredClone(state));
    expect(restored.state()).toEqual(state);
    memory.student.data.fill(0); // the state is a copy
    expect(state.student).toEqual(restored.student.data);
    Object.assign(state.logNormalizers!, { student: 0 });
    expect(memory.logNormalizers).toEqual({ student: 1.5, teacher: 2.5 });
    memory.select([3, 4]);
    restored.select([3, 4]);
    expect(restored.entries).toEqual(memory.entries);
    expect(restored.state().generator).toBe(memory.state().generator);
  });

  const state = new ContrastiveMemory(2, 3).state();

  test.each<[string, string, string, () => unknown]>([
    ['samples', 'ContrastiveMemory', 'OUT_OF_RANGE', () => new ContrastiveMemory(0, 1)],
    ['columns', 'ContrastiveMemory', 'OUT_OF_RANGE', () => new ContrastiveMemory(1, 1.5)],
    [
      'negatives',
      'ContrastiveMemory',
      'OUT_OF_RANGE',
      () => new ContrastiveMemory(1, 1, { negatives: 0 }),
    ],
    [
      'momentum',
      'ContrastiveMemory',
      'OUT_OF_RANGE',
      () => new ContrastiveMemory(1, 1, { momentum: 2 }),
    ],
    ['seed', 'ContrastiveMemory', 'OUT_OF_RANGE', () => new ContrastiveMemory(1, 1, { seed: 0.5 })],
    [
      'numeric',
      'ContrastiveMemory',
      'WRONG_TYPE',
      () => new ContrastiveMemory<Float32Array>(1, 1, wrong({ numeric: null })),
    ],
    [
      'options',
      'ContrastiveMemory',
      'UNKNOWN_OPTION',
      () => new ContrastiveMemory<Float32Array>(1, 1, wrong({ size: 1 })),
    ],
    [
      'state',
      'ContrastiveMemory.restore',
      'WRONG_TYPE',
      () => ContrastiveMemory.restore<Float32Array>(wrong(undefined)),
    ],
    [
      'student',
      'ContrastiveMemory.restore',
      'WRONG_TYPE',
      () => ContrastiveMemory.restore<Float32Array>(wrong({ ...state, student: [1] })),
    ],
    [
      'columns',
      'ContrastiveMemory.restore',
      'OUT_OF_RANGE',
      () => ContrastiveMemory.restore({ ...state, columns: 0 }),
    ],
    [
      'student',
      'ContrastiveMemory.restore',
      'SHAPE_MISMATCH',
      () => ContrastiveMemory.restore({ ...state, columns: 4 }),
    ],
    [
      'teacher',
      'ContrastiveMemory.restore',
      'SHAPE_MISMATCH',
      () => ContrastiveMemory.restore({ ...state, teacher: new Float32Array(3) }),
    ],
    [
      'teacher',
      'ContrastiveMemory.restore',
      'WRONG_TYPE',
      () => ContrastiveMemory.restore<Float32Array>(wrong({ ...state, teacher: undefined })),
    ],
    [
      'teacher',
      'ContrastiveMemory.restore',
      'NOT_FINITE',
      () => ContrastiveMemory.restore({ ...state, teacher: new Float32Array(6).fill(Infinity) }),
    ],
    [
      'logNormalizers',
      'ContrastiveMemory.restore',
      'WRONG_TYPE',
      () => ContrastiveMemory.restore<Float32Array>(wrong({ ...state, logNormalizers: null })),
    ],
    [
      'teacher',
      'ContrastiveMemory.restore',
      'DTYPE_MISMATCH',
      () =>
        ContrastiveMemory.restore<Float32Array>(wrong({ ...state, teacher: new Float64Array(6) })),
    ],
    [
      'generator',
      'ContrastiveMemory.restore',
      'OUT_OF_RANGE',
      () => ContrastiveMemory.restore({ ...state, generator: 0.5 }),
    ],
    [
      'logNormalizers.teacher',
      'ContrastiveMemory.restore',
      'OUT_OF_RANGE',
      () => ContrastiveMemory.restore(withNormalizer(Number.NaN)),
    ],
    ['samples[1]', 'ContrastiveMemory.select', 'OUT_OF_RANGE', () => select([0, 5])],
    ['samples[0]', 'ContrastiveMemory.select', 'OUT_OF_RANGE', () => select([0.5])],
    ['samples[0]', 'ContrastiveMemory.select', 'WRONG_TYPE', () => select(wrong(['1']))],
    ['samples', 'ContrastiveMemory.select', 'WRONG_TYPE', () => select(wrong(3))],
    ['negatives', 'ContrastiveMemory.select', 'WRONG_TYPE', () => select([0], wrong(null))],
    ['negatives', 'ContrastiveMemory.select', 'SHAPE_MISMATCH', () => select([0], [1])],
    ['negatives[1]', 'ContrastiveMemory.select', 'OUT_OF_RANGE', () => select([0], [1, -1])],
  ])('refuses an invalid %s', (argument, operation, code, call) => {
    expect(refusal(call)).toMatchObject({ operation, argument, code });
  });

  function withNormalizer(teacher: number): ContrastiveMemoryState {
    return { ...state, logNormalizers: { student: 1, teacher } };
  }

  function select(samples: number[], negatives?: number[]): void {
    new ContrastiveMemory(5, 1, { negatives: 2 }).select(samples, negatives);
  }

  test('keeps the last selection and the generator after an invalid selection', () => {
    const memory = new ContrastiveMemory(5, 1, { negatives: 2 });
    memory.select([1]);
    const before = [memory.entries, memory.state()];
    expect(() => memory.select([2, 7])).toThrow(RangeError);
    expect([memory.entries, memory.state()]).toEqual(before);
  });
});
