import { describe, expect, test } from 'vitest';
import {
  ensembleTeachers,
  type FloatArray,
  float32,
  float64,
  Matrix,
  ResponseDistillationStrategy,
  SparseTargets,
} from '../../src/index.js';
import fixture from '../fixtures/functions/ensembleSparseTeachers.json' with { type: 'json' };
import { matrix } from '../support/float64Matrix.js';
import { refusal, wrong } from '../support/refusal.js';

type Options = Parameters<typeof ensembleTeachers>[1];

const space = 'probabilities';

/** A teacher with one row and a given tail. */
function sparse(classes: number[], probabilities: number[], columns = 4, temperature = 1) {
  return new SparseTargets({
    indices: Int32Array.from(classes),
    logProbabilities: matrix(probabilities.map(Math.log)),
    columns,
    temperature,
  });
}

/** The probabilities of a row, by class. */
function probabilities<T extends FloatArray>(
  { indices, values, columns }: SparseTargets<T>,
  row: number,
): number[] {
  const p = Array<number>(columns).fill(0);
  for (let i = row * values.columns; i < (row + 1) * values.columns; i++) {
    if (indices[i]! >= 0) p[indices[i]!] = Math.exp(values.data[i]!);
  }
  return p;
}

describe('ensembleTeachers of sparse teachers', () => {
  for (const example of fixture.cases) {
    for (const numeric of [float64, float32]) {
      test(`matches PyTorch on ${example.name}, in ${numeric.dtype}`, () => {
        const { temperature, ks } = example;
        const teachers = example.teachers.map((rows, i) =>
          SparseTargets.topK(Matrix.fromRows<FloatArray>(rows, numeric), ks[i]!, { temperature }),
        );
        const options = wrong<Options>({ space, ...example.options });
        const mixture = ensembleTeachers(teachers, options);
        expect(mixture).toMatchObject({ columns: 6, temperature, numeric });
        // A logarithm of at most 10 is rounded a few times.
        const bound = 100 * numeric.epsilon;
        for (const [row, expected] of example.probabilities.entries()) {
          for (const [j, p] of probabilities(mixture, row).entries()) {
            expect(Math.abs(p - expected[j]!)).toBeLessThan(bound);
          }
          const tail = Math.exp(mixture.logTail![row]!);
          expect(Math.abs(tail - example.tails[row]!)).toBeLessThan(bound);
        }
      });
    }
  }

  test('keeps the classes of every teacher, and puts unknown probability into the tail, as computed by hand', () => {
    const teachers = [sparse([2, 0], [0.5, 0.25]), sparse([0, 3], [0.5, 0.375])];
    const mixture = ensembleTeachers(teachers, { space, weights: [0.75, 0.25] });
    expect([...mixture.indices]).toEqual([2, 0, 3]);
    const expected = [0.75 * 0.25 + 0.25 * 0.5, 0, 0.75 * 0.5, 0.25 * 0.375];
    for (const [j, p] of probabilities(mixture, 0).entries())
      expect(p).toBeCloseTo(expected[j]!, 15);
    expect(Math.exp(mixture.logTail![0]!)).toBeCloseTo(0.75 * 0.25 + 0.25 * 0.125, 15);
  });

  test('is at most the mean of all probabilities, and lower by at most the tails', () => {
    const logits = [matrix([3, 1, 0, -2, 0.5]), matrix([0, 4, 2, 1, -1])];
    const all = probabilities(
      ensembleTeachers(
        logits.map((each) => SparseTargets.topK(each, 5)),
        { space },
      ),
      0,
    );
    const best = logits.map((each) => SparseTargets.topK(each, 2));
    const mixture = ensembleTeachers(best, { space });
    const tails = best.reduce((sum, { logTail }) => sum + 0.5 * Math.exp(logTail![0]!), 0);
    for (const index of mixture.indices) {
      const p = probabilities(mixture, 0)[index]!;
      expect(p).toBeLessThanOrEqual(all[index]! + 1e-15);
      expect(p).toBeGreaterThanOrEqual(all[index]! - tails);
    }
  });

  test("of teachers with the same classes gives the gradient of the teachers' mean loss", () => {
    const teachers = [sparse([2, 0], [0.5, 0.25]), sparse([0, 2], [0.25, 0.375])];
    const weights = [0.75, 0.25];
    const student = matrix([1, -2, 0.5, 0]);
    for (const tail of ['bucket', 'drop'] as const) {
      const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 1, tail });
      const mixture = ensembleTeachers(teachers, { space, weights });
      const parts = teachers.map((each) => strategy.computeGradient(student, each).data);
      for (const [i, value] of strategy.computeGradient(student, mixture).data.entries()) {
        expect(value).toBeCloseTo(0.75 * parts[0]![i]! + 0.25 * parts[1]![i]!, 14);
      }
    }
  });

  test('accepts rows of different lengths; a row without classes in one teacher has none in the result', () => {
    const two = SparseTargets.fromProbabilities([{ 0: 0.5 }, { 1: 0.5 }], {
      columns: 4,
      numeric: float64,
    });
    const one = SparseTargets.fromProbabilities([{ 2: 0.5, 0: 0.25 }, {}], {
      columns: 4,
      numeric: float64,
    });
    const mixture = ensembleTeachers([two, one], { space });
    expect([...mixture.indices]).toEqual([0, 2, -1, -1]);
    expect(Math.exp(mixture.logTail![0]!)).toBeCloseTo(0.375, 15);
    // A teacher of weight 0 is not read.
    const first = ensembleTeachers([two, one], { space, weights: [1, 0] });
    expect([...first.indices]).toEqual([0, 1]);
  });

  test('stays in log space', () => {
    const logs = { columns: 3, log: true, numeric: float64 };
    const teachers = [
      { 0: 0, 1: -900 },
      { 0: 0, 1: -901 },
    ].map((row) => SparseTargets.fromProbabilities([row], logs));
    const { values } = ensembleTeachers(teachers, { space });
    expect(values.get(0, 1)).toBeCloseTo(-900 + Math.log((1 + Math.exp(-1)) / 2), 10);
  });

  test.each<[string, number[], number[]]>([
    ['a class out of range', [0, 7], [0.5, 0.25]],
    ['a class twice', [1, 1], [0.5, 0.25]],
    ['NaN', [0, 1], [0.5, Number.NaN]],
  ])('leaves a row with %s to the strategy', (_, classes, values) => {
    const broken = new SparseTargets({
      indices: Int32Array.of(...classes, 0, 1),
      logProbabilities: matrix(values.map(Math.log), [0.5, 0.25].map(Math.log)),
      columns: 4,
    });
    const mixture = ensembleTeachers([broken, broken], { space });
    const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 1 });
    const student = matrix([0, 0, 0, 0], [0, 1, 2, 3]);
    const loss = (mask: number[]) => strategy.computeLoss(student, mixture, undefined, { mask });
    expect(loss([0, 1])).toBeGreaterThan(0);
    expect(refusal(() => loss([1, 1]))).toMatchObject({ argument: 'teacher', row: 0 });
  });
});

describe('ensembleTeachers of sparse teachers refuses', () => {
  const first = sparse([0, 1], [0.5, 0.25]);
  const dense = matrix([1, 2, 3, 4]);
  const { indices, values: logits } = first;
  const single = SparseTargets.topK(dense.as(float32), 2);
  const raw = new SparseTargets({ indices, logits, columns: 4 });

  test.each<[string, unknown, object, string, string]>([
    ['the mean of logits', [first, first], { space: 'logits' }, 'MISPLACED_OPTION', 'space'],
    ['another temperature', [first], { space, temperature: 2 }, 'TEMPERATURE', 'temperature'],
    [
      'two temperatures',
      [first, sparse([0], [0.5], 4, 2)],
      { space },
      'TEMPERATURE',
      'teachers[1]',
    ],
    ['logits', [first, raw], { space }, 'TEMPERATURE', 'teachers[1]'],
    ['other classes', [first, sparse([0], [0.5], 5)], { space }, 'SHAPE_MISMATCH', 'teachers[1]'],
    ['both formats', [first, single], { space }, 'DTYPE_MISMATCH', 'teachers[1]'],
    ['no teacher', [first, 'teacher'], { space }, 'WRONG_TYPE', 'teachers[1]'],
  ])('%s', (_, teachers, options, code, argument) => {
    const call = () =>
      ensembleTeachers(wrong<SparseTargets<Float64Array>[]>(teachers), wrong<Options>(options));
    expect(refusal(call)).toMatchObject({ operation: 'ensembleTeachers', code, argument });
  });

  test.each([
    ['sparse', [sparse([0], [0.5], 4, 2), dense], 'SparseTargets', 1],
    ['dense', [dense, sparse([0], [0.5], 4, 2)], 'a Matrix', 0],
  ])(
    'sparse and dense teachers together, the first one %s, with a hint that works',
    (_, teachers, kind, at) => {
      const call = () => ensembleTeachers(wrong<Matrix<Float64Array>[]>(teachers), { space });
      expect(refusal(call)).toMatchObject({ code: 'WRONG_TYPE', argument: 'teachers[1]' });
      const hint = `must be ${kind}, as teachers[0] is, got an object of type`;
      expect(refusal(call).message).toContain(hint);
      expect(refusal(call).message).toContain(
        `; use SparseTargets.topK(teachers[${at}], k, { temperature: 2 })`,
      );
      const best = SparseTargets.topK(dense, 2, { temperature: 2 });
      expect(ensembleTeachers([best, sparse([0], [0.5], 4, 2)], { space }).rows).toBe(1);
    },
  );
});

test('accepts teachers that together keep all classes, and has no tail then', () => {
  const a = SparseTargets.topK(matrix([3, 2, 0, 0.1]), 2);
  const b = SparseTargets.topK(matrix([0, 0.1, 2, 3]), 2);
  const both = ensembleTeachers([a, b], { space: 'probabilities' });
  const sum = both.values.data.reduce((total, log) => total + Math.exp(log), 0);
  expect(sum).toBeCloseTo(1, 12);
  expect(both.logTail?.[0]).toBe(-Infinity);
  const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 1 });
  expect(strategy.computeLoss(matrix([0, 0, 0, 0]), both)).toBeGreaterThan(0);
});
