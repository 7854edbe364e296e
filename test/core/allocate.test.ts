import { describe, expect, test } from 'vitest';
import {
  averageHeads,
  batchNormMargins,
  ContrastiveMemory,
  causalRows,
  LinearProjection,
  Matrix,
  poolPositions,
  VariationalDistillationStrategy,
} from '../../src/index.js';
import { refusal, wrong } from '../support/refusal.js';

// Each size is a valid integer, but their product is more than any engine allocates.

const HUGE = 2 ** 40;

/** A call with two sizes, sizes that are too large, and the sizes that the hint asks for. */
interface Case {
  readonly call: (first: number, second: number) => unknown;
  readonly tooLarge: readonly [number, number];
  readonly smaller: readonly [number, number];
  readonly message: string;
}

const expected = 'must be a number of elements that the engine can allocate';

const CASES: Record<string, Case> = {
  'Matrix.zeros': {
    call: (rows, columns) => Matrix.zeros(rows, columns),
    tooLarge: [2 ** 31, 1000],
    smaller: [2, 1000],
    message: `Matrix.zeros: rows × columns ${expected}, got 2147483648 × 1000; make rows or columns smaller`,
  },
  'Matrix.oneHot': {
    call: (length, columns) =>
      Matrix.oneHot({ ...Array(Math.min(length, 2)).fill(1), length }, columns),
    tooLarge: [2 ** 32, 4096],
    smaller: [2, 4096],
    message: `Matrix.oneHot: classes.length × columns ${expected}, got 4294967296 × 4096; make classes.length or columns smaller`,
  },
  'Matrix.fromRows': {
    call: (_, length) => Matrix.fromRows([{ 0: 1, 1: 2, length }]),
    tooLarge: [1, HUGE],
    smaller: [1, 2],
    message: `Matrix.fromRows: rows × columns ${expected}, got 1 × 1099511627776; make rows or columns smaller`,
  },
  'Matrix.gatherRows': {
    call: (length, columns) =>
      Matrix.zeros(1, columns).gatherRows({ ...Array(Math.min(length, 2)).fill(0), length }),
    tooLarge: [2 ** 32, 4096],
    smaller: [2, 4096],
    message: `Matrix.gatherRows: indices.length × columns ${expected}, got 4294967296 × 4096; make indices.length or columns smaller`,
  },
  LinearProjection: {
    call: (inputs, outputs) => new LinearProjection(inputs, outputs),
    tooLarge: [2 ** 20, 2 ** 20],
    smaller: [2 ** 10, 2],
    message: `LinearProjection: inputColumns × outputColumns ${expected}, got 1048576 × 1048576; make inputColumns or outputColumns smaller`,
  },
  ContrastiveMemory: {
    call: (samples, columns) => new ContrastiveMemory(samples, columns),
    tooLarge: [2 ** 31, 1024],
    smaller: [4, 1024],
    message: `ContrastiveMemory: samples × columns ${expected}, got 2147483648 × 1024; make samples or columns smaller`,
  },
  'ContrastiveMemory.select': {
    call: (samples, count) =>
      new ContrastiveMemory(3, 2, { negatives: count - 1 }).select(Array(samples).fill(1)),
    tooLarge: [1, HUGE],
    smaller: [1, 3],
    message: `ContrastiveMemory.select: samples.length × negatives + 1 ${expected}, got 1 × 1099511627776; make samples.length or negatives + 1 smaller`,
  },
  'poolPositions.apply': {
    call: (height, width) =>
      poolPositions({ height: 1, width: 1 }, { height, width }).apply(Matrix.zeros(1, 1)),
    tooLarge: [2 ** 20, 2 ** 20],
    smaller: [2, 2],
    message: `poolPositions.apply: result.rows × result.columns ${expected}, got 1 × 1099511627776; make result.rows or result.columns smaller`,
  },
  'averageHeads.adjoint': {
    call: (heads, columns) => averageHeads(heads).adjoint(Matrix.zeros(1, columns)),
    tooLarge: [HUGE, 1],
    smaller: [2, 1],
    message: `averageHeads.adjoint: result.rows × result.columns ${expected}, got 1 × 1099511627776; make result.rows or result.columns smaller`,
  },
  causalRows: {
    call: (batch, length) =>
      causalRows({ batch, length, labels: { 0: 1, 1: 1, length: batch * length } }),
    tooLarge: [2 ** 20, 2 ** 20],
    smaller: [1, 2],
    message: `causalRows: batch × length ${expected}, got 1048576 × 1048576; make batch or length smaller`,
  },
  VariationalDistillationStrategy: {
    call: (channels) => new VariationalDistillationStrategy({ channels }),
    tooLarge: [HUGE, 1],
    smaller: [2, 1],
    message: `VariationalDistillationStrategy: channels ${expected}, got 1099511627776; make channels smaller`,
  },
};

describe.each(Object.entries(CASES))('%s', (operation, { call, tooLarge, smaller, message }) => {
  test('refuses more elements than the engine can allocate', () => {
    const argument = message.slice(operation.length + 2, message.indexOf(' must'));
    const code = 'OUT_OF_RANGE';
    expect(refusal(() => call(...tooLarge))).toMatchObject({ code, operation, argument, message });
  });

  test('accepts the sizes that the hint asks for', () => {
    expect(() => call(...smaller)).not.toThrow();
  });
});

test.each<[string, () => unknown]>([
  ['classes.length', () => Matrix.oneHot(wrong({ length: Number.NaN }), 3)],
  ['mean[0]', () => batchNormMargins({ mean: { length: HUGE }, deviation: [1] })],
  ['samples[0]', () => new ContrastiveMemory(2, 2).select({ length: HUGE })],
])('names %s of an array-like object that has only a length', (argument, call) => {
  expect(refusal(call)).toMatchObject({ argument });
});

test('a copy of a matrix with a transferred buffer is refused with a message', () => {
  const gone = Matrix.zeros(1, 2);
  structuredClone(gone.data, { transfer: [wrong<ArrayBuffer>(gone.data.buffer)] });
  expect(refusal(() => gone.clone())).toMatchObject({ code: 'SHAPE_MISMATCH' });
});
