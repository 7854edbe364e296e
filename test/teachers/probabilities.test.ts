import { describe, expect, test } from 'vitest';
import {
  type ClassProbabilities,
  float32,
  float64,
  Matrix,
  type ProbabilityOptions,
  ResponseDistillationStrategy,
  SparseTargets,
} from '../../src/index.js';
import { matrix } from '../support/float64Matrix.js';
import { refusal, wrong } from '../support/refusal.js';

const numeric = float64;

/** The classes and probabilities of a row, with the tail last. */
function kept({ indices, values, logTail }: SparseTargets<Float64Array>, row = 0): number[][] {
  const places = [...values.row(row).keys()].filter(
    (i) => indices[row * values.columns + i] !== -1,
  );
  return [
    places.map((i) => indices[row * values.columns + i]!),
    [...places.map((i) => values.get(row, i)), logTail![row]!].map(Math.exp),
  ];
}

function expectKept(
  sparse: SparseTargets<Float64Array>,
  classes: number[],
  probabilities: number[],
  row = 0,
): void {
  const [indices, p] = kept(sparse, row);
  expect(indices).toEqual(classes);
  expect(p).toHaveLength(probabilities.length);
  for (const [i, value] of probabilities.entries()) expect(p![i]).toBeCloseTo(value, 14);
}

describe('SparseTargets.fromProbabilities', () => {
  test.each<[string, ClassProbabilities]>([
    [
      'a Map',
      new Map([
        [4, 0.25],
        [2, 0.5],
      ]),
    ],
    ['an object', { 4: 0.25, 2: 0.5 }],
  ])('reads %s: the most probable class first, and the remainder as the tail', (_, row) => {
    const sparse = SparseTargets.fromProbabilities([row], { columns: 6, numeric });
    expect(sparse).toMatchObject({ columns: 6, temperature: 1, kind: 'logProbabilities' });
    expectKept(sparse, [2, 4], [0.5, 0.25, 0.25]);
  });

  test.each<[string, ClassProbabilities]>([
    ['an array', [0.125, 0.5, 0, 0.25, 0.125]],
    ['doubles', Float64Array.of(0.125, 0.5, 0, 0.25, 0.125)],
    ['singles', Float32Array.of(0.125, 0.5, 0, 0.25, 0.125)],
  ])('reads %s of all classes, without classes of probability 0', (_, row) => {
    const all = SparseTargets.fromProbabilities([row], { columns: 5, numeric });
    expectKept(all, [1, 3, 0, 4], [0.5, 0.25, 0.125, 0.125, 0]);
    const two = SparseTargets.fromProbabilities([row], { columns: 5, numeric, k: 2 });
    expectKept(two, [1, 3], [0.5, 0.25, 0.25]);
  });

  test('reads the tokens of an engine through a function', () => {
    type Token = number & { readonly __token: never };
    const row = new Map<Token, number>([[wrong<Token>(3), 0.75]]);
    const sparse = SparseTargets.fromProbabilities([row], { columns: 4, numeric });
    expectKept(sparse, [3], [0.75, 0.25]);
  });

  test('reads log-probabilities of any size at a temperature, in float32 by default', () => {
    const row = new Map([
      [1, Math.log(0.5)],
      [0, -900],
      [2, -Infinity],
    ]);
    const options = { columns: 4, log: true, temperature: 2 };
    const sparse = SparseTargets.fromProbabilities([row], options);
    expect(sparse.numeric).toBe(float32);
    expect(sparse.temperature).toBe(2);
    expect([...sparse.indices]).toEqual([1, 0]);
    expect(sparse.values.get(0, 1)).toBe(-900);
  });

  test('pads shorter rows; an empty row keeps no class', () => {
    const rows = [
      new Map([[1, 1]]),
      new Map(),
      new Map([
        [0, 0.5],
        [3, 0.25],
        [2, 0.25],
      ]),
    ];
    const sparse = SparseTargets.fromProbabilities(rows, { columns: 4, numeric });
    expect([...sparse.indices]).toEqual([1, -1, -1, -1, -1, -1, 0, 3, 2]);
    const student = matrix([0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]);
    const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 1 });
    // KL of [1, 0, 0, 0], and of [½, ¼, ¼] with an empty tail.
    const expected = (Math.log(4) + 0.5 * Math.log(2)) / 2;
    const loss = (mask: number[]) => strategy.computeLoss(student, sparse, undefined, { mask });
    expect(loss([1, 0, 1])).toBeCloseTo(expected, 14);
    expect(refusal(() => loss([1, 1, 1]))).toMatchObject({ code: 'EMPTY', row: 1 });
    expect(SparseTargets.fromProbabilities([], { columns: 4 }).rows).toBe(0);
    expect(SparseTargets.fromProbabilities([new Map()], { columns: 4 }).values.columns).toBe(1);
  });

  test('gives no class the rounding error of the sum', () => {
    const third = Math.fround(1 / 3);
    const row = { 0: third, 1: third, 2: Math.fround(1 - 2 * third) - 2 ** -24 };
    const single = SparseTargets.fromProbabilities([row], { columns: 4 });
    expect(single.logTail![0]).toBe(-Infinity);
    const double = SparseTargets.fromProbabilities([row], { columns: 4, numeric });
    expect(Math.exp(double.logTail![0]!)).toBeCloseTo(2 ** -24, 9);
  });

  test('keeps the precision of a small tail that it cut off', () => {
    const sparse = SparseTargets.fromProbabilities([[1, 1e-12, 0]], { columns: 3, k: 1 });
    expect(sparse.logTail![0]).toBeCloseTo(Math.log(1e-12), 5);
  });

  test('agrees with topK of the logits', () => {
    const logits = matrix([3, 1, 0, -2, 0.5], [0, 4, 2, 1, -1]);
    const rows = logits.toRows().map((row) => {
      const sum = row.reduce((total, z) => total + Math.exp(z), 0);
      return row.map((z) => Math.exp(z) / sum);
    });
    const sparse = SparseTargets.fromProbabilities(rows, { columns: 5, k: 3, numeric });
    const best = SparseTargets.topK(logits, 3);
    expect(sparse.indices).toEqual(best.indices);
    for (const [i, value] of best.values.data.entries()) {
      expect(sparse.values.data[i]).toBeCloseTo(value, 14);
    }
    for (const row of [0, 1]) expect(sparse.logTail![row]).toBeCloseTo(best.logTail![row]!, 14);
  });
});

describe('SparseTargets.fromProbabilities refuses', () => {
  const operation = 'SparseTargets.fromProbabilities';
  const call =
    (rows: unknown, options: object = {}) =>
    () =>
      SparseTargets.fromProbabilities(
        wrong<ClassProbabilities[]>(rows),
        wrong<ProbabilityOptions>({ columns: 3, ...options }),
      );

  test.each<[string, unknown, object, string, string]>([
    ['one Map', new Map([[0, 1]]), {}, 'WRONG_TYPE', 'rows'],
    ['a matrix', Matrix.zeros(1, 3), {}, 'WRONG_TYPE', 'rows'],
    ['nothing for a row', [null], {}, 'WRONG_TYPE', 'rows[0]'],
    ['numbers for rows', [0.5], {}, 'WRONG_TYPE', 'rows[0]'],
    ['an array that is too short', [[0.5, 0.5]], {}, 'SHAPE_MISMATCH', 'rows[0]'],
    ['a class beyond the columns', [new Map([[3, 0.5]])], {}, 'OUT_OF_RANGE', 'class in rows[0]'],
    ['a class below 0', [new Map([[-1, 0.5]])], {}, 'OUT_OF_RANGE', 'class in rows[0]'],
    ['a class that is a word', [{ the: 0.5 }], {}, 'WRONG_TYPE', 'class in rows[0]'],
    ['a class in other digits', [{ '01': 0.5 }], {}, 'WRONG_TYPE', 'class in rows[0]'],
    ['NaN', [{ 1: Number.NaN }], {}, 'NOT_FINITE', 'probability'],
    ['too much in all', [{ 0: 0.9, 1: 0.2 }], {}, 'NOT_A_DISTRIBUTION', 'rows[0]'],
    ['too little of all', [[0.5, 0.2, 0.1]], {}, 'NOT_A_DISTRIBUTION', 'rows[0]'],
    ['no columns', [], { columns: undefined }, 'WRONG_TYPE', 'columns'],
    ['k = 0', [], { k: 0 }, 'OUT_OF_RANGE', 'k'],
    ['log of another type', [], { log: 1 }, 'WRONG_TYPE', 'log'],
    ['a temperature of 0', [], { temperature: 0 }, 'OUT_OF_RANGE', 'temperature'],
    ['another format', [], { numeric: 'float32' }, 'WRONG_TYPE', 'numeric'],
    ['another option', [], { seed: 1 }, 'UNKNOWN_OPTION', 'options'],
  ])('%s', (_, rows, options, code, argument) => {
    expect(refusal(call(rows, options))).toMatchObject({ operation, code, argument });
  });

  test('logits, with a hint that works', () => {
    const rows = [[0.1, 5.2, -1]];
    expect(refusal(call(rows))).toMatchObject({
      code: 'OUT_OF_RANGE',
      row: 0,
      column: 1,
      message:
        'SparseTargets.fromProbabilities: probability row 0, column 1 must be in [0, 1], got 5.2; for logits, use SparseTargets.topK(Matrix.fromRows(rows), k)',
    });
    expect(SparseTargets.topK(Matrix.fromRows(rows), 2).rows).toBe(1);
    expect(refusal(call([new Map([[2, 7]])])).message).toContain(
      '; for logits, use new SparseTargets({ indices, logits, columns })',
    );
  });

  test('log-probabilities in place of probabilities, and the reverse', () => {
    const logs = [{ 0: Math.log(0.5), 2: Math.log(0.25) }];
    expect(refusal(call(logs))).toMatchObject({ code: 'OUT_OF_RANGE', row: 0, column: 0 });
    expect(refusal(call(logs)).message).toContain('; for log-probabilities, pass log: true; ');
    expect(call(logs, { log: true })().rows).toBe(1);
    const error = refusal(call([{ 0: 0.5 }], { log: true }));
    expect(error).toMatchObject({ argument: 'log-probability', row: 0, column: 0 });
    expect(error.message).toContain('; for probabilities, leave out log; ');
    expect(call([{ 0: 0.5 }])().rows).toBe(1);
  });

  test('an invalid number', () => {
    expect(refusal(call([{ 1: '0.5' }]))).toMatchObject({ code: 'WRONG_TYPE', received: '"0.5"' });
    expect(refusal(call([new Map([[1, 1n]])]))).toMatchObject({ code: 'WRONG_TYPE' });
  });

  test('a row without classes, with a hint that works', () => {
    expect(refusal(call([[0, 0, 0]])).message).toContain('; an empty Map is a row that keeps no');
    expect(call([new Map()])().rows).toBe(1);
  });
});
