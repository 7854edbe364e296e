import { describe, expect, test } from 'vitest';
import {
  ensembleTeachers,
  type FloatArray,
  float32,
  float64,
  Matrix,
  type NumericTrait,
  ResponseDistillationStrategy,
} from '../../src/index.js';
import fixture from '../fixtures/functions/ensembleTeachers.json' with { type: 'json' };
import { matrix } from '../support/float64Matrix.js';
import { refusal, wrong } from '../support/refusal.js';

type Options = Parameters<typeof ensembleTeachers>[1];

const [p, q, r] = [Math.log(2), Math.log(3), Math.log(4)];

function build<T extends FloatArray>(
  rows: readonly (readonly (number | string)[])[],
  numeric: NumericTrait<T>,
): Matrix<T> {
  return Matrix.fromRows(
    rows.map((row) => row.map(Number)),
    numeric,
  );
}

describe('ensembleTeachers', () => {
  for (const { name, options, teachers, result } of fixture.cases) {
    for (const numeric of [float64, float32]) {
      test(`matches PyTorch on ${name}, in ${numeric.dtype}`, () => {
        const matrices = teachers.map((rows) => build<FloatArray>(rows, numeric));
        const ensemble = ensembleTeachers(matrices, wrong<Options>(options));
        expect(ensemble.numeric).toBe(numeric);
        // For p near 1, T · log p has T times the rounding of p.
        const least = options.temperature ?? 1;
        const bound = (expected: number) =>
          8 * numeric.epsilon * Math.max(least, Math.abs(expected));
        for (const [i, expected] of build(result, float64).data.entries()) {
          const value = ensemble.data[i]!;
          if (expected === -Infinity) expect(value).toBe(-Infinity);
          else expect(Math.abs(value - expected)).toBeLessThanOrEqual(bound(expected));
        }
      });
    }
  }

  test('averages logits or probabilities, as computed by hand', () => {
    // softmax: [2/5, 3/5] and [4/5, 1/5]
    const teachers = [matrix([p, q]), matrix([r, 0])];
    const weights = [0.75, 0.25];
    const mean = ensembleTeachers(teachers, { space: 'logits', weights });
    expect(mean.get(0, 0)).toBeCloseTo(0.75 * p + 0.25 * r, 15);
    expect(mean.get(0, 1)).toBeCloseTo(0.75 * q, 15);
    const mixture = ensembleTeachers(teachers, { space: 'probabilities', weights });
    expect(Math.exp(mixture.get(0, 0))).toBeCloseTo(0.75 * 0.4 + 0.25 * 0.8, 15);
    expect(Math.exp(mixture.get(0, 1))).toBeCloseTo(0.75 * 0.6 + 0.25 * 0.2, 15);
  });

  test("of probabilities gives the gradient of the teachers' mean loss", () => {
    const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 3 });
    const student = matrix([1, -2, 0.5], [0, 4, 1]);
    const teachers = [matrix([3, 1, 0], [0, 1, 2]), matrix([-1, 2, 5], [7, -3, 0])];
    const weights = [0.75, 0.25];
    const teacher = ensembleTeachers(teachers, { space: 'probabilities', weights, temperature: 3 });
    const gradient = strategy.computeGradient(student, teacher).data;
    const parts = teachers.map((each) => strategy.computeGradient(student, each).data);
    for (const [i, value] of gradient.entries()) {
      expect(value).toBeCloseTo(0.75 * parts[0]![i]! + 0.25 * parts[1]![i]!, 14);
    }
  });

  test('stays in log space: a class whose probability underflows is not lost', () => {
    const teachers = [matrix([1e4, 0, -1e4]), matrix([1e4, 1e4, -1e4])];
    const { data } = ensembleTeachers(teachers, { space: 'probabilities', temperature: 0.05 });
    // [1 + ½, ½, …] / 2; the last class keeps half of its probability
    expect(data[0]).toBeCloseTo(0.05 * Math.log(0.75), 14);
    expect(data[1]).toBeCloseTo(0.05 * Math.log(0.25), 14);
    expect(data[2]).toBeCloseTo(-2e4 + 0.05 * Math.log(0.75), 10);
  });

  test('does not change its inputs, and leaves an invalid row to the strategy', () => {
    const teacher = matrix([1, Number.NaN], [1, 2], [-Infinity, -Infinity]);
    const before = [...teacher.data];
    const student = matrix([0, 1], [0, 5], [0, 1]);
    const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 1 });
    for (const space of ['logits', 'probabilities'] as const) {
      const ensemble = ensembleTeachers([teacher, student], { space });
      expect([...teacher.data]).toEqual(before);
      const evaluate = (...mask: number[]) =>
        strategy.computeLoss(student, ensemble, undefined, { mask });
      expect(evaluate(0, 1, 0)).toBeGreaterThan(0);
      expect(refusal(() => evaluate(1, 1, 0))).toMatchObject({ argument: 'teacher', row: 0 });
      expect(refusal(() => evaluate(0, 1, 1))).toMatchObject({ argument: 'teacher', row: 2 });
    }
  });

  test('of no rows has no rows', () => {
    const none = Matrix.zeros(0, 3);
    expect(ensembleTeachers([none, none], { space: 'probabilities' }).rows).toBe(0);
  });
});

describe('ensembleTeachers refuses', () => {
  const two = [matrix([1, 2]), matrix([3, 4])];
  const space = 'probabilities';

  test.each<[string, unknown, object | undefined, string, string]>([
    ['no teachers', [], { space }, 'EMPTY', 'teachers'],
    ['one matrix', two[0], { space }, 'WRONG_TYPE', 'teachers'],
    ['arrays', [[[1, 2]]], { space }, 'WRONG_TYPE', 'teachers[0]'],
    ['other classes', [two[0], matrix([1, 2, 3])], { space }, 'SHAPE_MISMATCH', 'teachers[1]'],
    ['other rows', [two[0], matrix([1, 2], [1, 2])], { space }, 'SHAPE_MISMATCH', 'teachers[1]'],
    ['both formats', [two[0], two[1]!.as(float32)], { space }, 'DTYPE_MISMATCH', 'teachers[1]'],
    ['no options', two, undefined, 'WRONG_TYPE', 'options'],
    ['no space', two, {}, 'WRONG_TYPE', 'space'],
    ['another space', two, { space: 'odds' }, 'OUT_OF_RANGE', 'space'],
    ['another option', two, { space, mean: 'geometric' }, 'UNKNOWN_OPTION', 'options'],
    ['weights of another type', two, { space, weights: 0.5 }, 'WRONG_TYPE', 'weights'],
    ['too few weights', two, { space, weights: [1] }, 'SHAPE_MISMATCH', 'weights'],
    ['a negative weight', two, { space, weights: [1.5, -0.5] }, 'OUT_OF_RANGE', 'weights[0]'],
    ['weights that sum to less', two, { space, weights: [0.5, 0.3] }, 'WEIGHT_SUM', 'weights'],
    ['a temperature of 0', two, { space, temperature: 0 }, 'OUT_OF_RANGE', 'temperature'],
    [
      'a temperature of logits',
      two,
      { space: 'logits', temperature: 2 },
      'MISPLACED_OPTION',
      'temperature',
    ],
  ])('%s', (_, teachers, options, code, argument) => {
    const call = () =>
      ensembleTeachers(wrong<Matrix<Float64Array>[]>(teachers), wrong<Options>(options));
    expect(refusal(call)).toMatchObject({ operation: 'ensembleTeachers', code, argument });
  });
});
