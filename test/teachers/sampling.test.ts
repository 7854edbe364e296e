import { describe, expect, test } from 'vitest';
import {
  float32,
  float64,
  Matrix,
  ResponseDistillationStrategy,
  ReverseKLDistillationStrategy,
  type SamplingOptions,
  SparseTargets,
} from '../../src/index.js';
import { describeKernels } from '../support/describeKernels.js';
import { matrix } from '../support/float64Matrix.js';
import { refusal, wrong } from '../support/refusal.js';

/** The probabilities of a row, by class. */
function probabilities(
  { indices, values }: SparseTargets<Float64Array>,
  row: number,
  classes: number,
): number[] {
  const p = Array<number>(classes).fill(0);
  for (let i = row * values.columns; i < (row + 1) * values.columns; i++) {
    if (indices[i]! >= 0) p[indices[i]!] = Math.exp(values.data[i]!);
  }
  return p;
}

describeKernels('The mean over draws', () => {
  const [samples, seeds, temperature] = [5, 400, 2];
  const teacher = matrix([3, 1, 0, -1, -2], [0, 4, -Infinity, 1, 0], [0, 0, 0, 0, 0]);
  const student = matrix([0, 1, 0, 0.5, 0], [1, 0, 2, 0, 0], [1, 2, 3, 4, 5]);

  test.each(['bucket', 'drop'] as const)(
    "is the gradient from all logits, with tail: '%s'",
    (tail) => {
      const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature, tail });
      const dense = strategy.computeGradient(student, teacher);
      const mean = student.zerosLike();
      for (let seed = 0; seed < seeds; seed++) {
        const sparse = SparseTargets.sample(teacher, { samples, seed, temperature });
        const { data } = strategy.computeGradient(student, sparse);
        for (const [i, value] of data.entries()) mean.data[i]! += value / seeds;
      }
      for (let row = 0; row < teacher.rows; row++) {
        const exponentials = [...teacher.row(row)].map((z) => Math.exp(z / temperature));
        const sum = exponentials.reduce((total, e) => total + e, 0);
        for (const [j, e] of exponentials.entries()) {
          const p = e / sum;
          // The gradient of a row is T (q − p) / rows, and p has the variance of a fraction of all
          // draws. The bound is five standard deviations.
          const deviation = (temperature * Math.sqrt((p * (1 - p)) / (samples * seeds))) / 3;
          const error = Math.abs(mean.get(row, j) - dense.get(row, j));
          expect(error).toBeLessThanOrEqual(5 * deviation + 1e-13);
        }
      }
    },
  );
});

describe('SparseTargets.sample', () => {
  const logits = matrix([2, 1, 0, -1], [0, 0, 0, 0]);

  test("keeps each class's fraction of the draws, and no tail", () => {
    const sparse = SparseTargets.sample(logits, { samples: 40, seed: 7 });
    expect(sparse).toMatchObject({ columns: 4, temperature: 1, kind: 'logProbabilities' });
    for (const row of [0, 1]) {
      const counts = probabilities(sparse, row, 4).map((p) => 40 * p);
      for (const count of counts) expect(count).toBeCloseTo(Math.round(count), 12);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBeCloseTo(40, 12);
      expect(sparse.logTail![row]).toBe(-Infinity);
    }
  });

  test('is as wide as the row with the most classes, and pads the others', () => {
    const sparse = SparseTargets.sample(matrix([0, 99, 0, 0], [0, 0, 0, 0]), {
      samples: 60,
      seed: 1,
    });
    expect(sparse.values.columns).toBe(4);
    expect([...sparse.indices]).toEqual([1, -1, -1, -1, 0, 1, 2, 3]);
    expect(SparseTargets.sample(logits, { samples: 1, seed: 1 }).values.columns).toBe(1);
  });

  test('of a certain class is that class', () => {
    const sure = matrix([-Infinity, 0, -Infinity]);
    const student = matrix([1, 2, 3]);
    const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 1 });
    for (const seed of [0, 1, 2]) {
      const sparse = SparseTargets.sample(sure, { samples: 3, seed });
      expect([...sparse.indices]).toEqual([1]);
      const { loss, gradient } = strategy.computeLossAndGradient(student, sparse);
      expect(loss).toBeCloseTo(strategy.computeLoss(student, sure), 14);
      for (const [j, value] of strategy.computeGradient(student, sure).data.entries()) {
        expect(gradient.data[j]).toBeCloseTo(value, 14);
      }
    }
  });

  test('gives the same draws for the same seed and other draws for another, in both dtypes', () => {
    const draw = (seed: number) => SparseTargets.sample(logits, { samples: 9, seed });
    expect(draw(5)).toEqual(draw(5));
    expect([...draw(5).values.data]).not.toEqual([...draw(6).values.data]);
    const single = SparseTargets.sample(logits.as(float32), { samples: 9, seed: 5 });
    expect(single.numeric).toBe(float32);
    expect([...single.indices]).toEqual([...draw(5).indices]);
  });

  test('reaches classes of a probability below 2⁻³²', () => {
    const classes = 2 ** 20;
    const rare = new Matrix(new Float64Array(classes).fill(Math.log(1e-5 / classes)), 1, classes);
    rare.data[classes - 1] = 0;
    const { indices } = SparseTargets.sample(rare, { samples: 2_000_000, seed: 3 });
    // With a resolution of 2⁻³², only classes that contain a multiple of it could be drawn.
    const steps = (1e-5 / classes / (1 + 1e-5)) * 2 ** 32; // of one class: 0.04
    const isOnStep = (index: number) => Math.ceil(index * steps) < (index + 1) * steps;
    const drawn = [...indices].slice(0, -1);
    expect(drawn.length).toBeGreaterThan(10);
    expect(drawn.every(isOnStep)).toBe(false);
  });

  test('of no rows has no rows', () => {
    const none = Matrix.zeros(0, 3, float64);
    expect(SparseTargets.sample(none, { samples: 2, seed: 0 }).rows).toBe(0);
  });

  test.each([
    ['NaN', [0, Number.NaN, 1, 0]],
    ['infinite', [0, Infinity, 1, 0]],
    ['all ruled out', [-Infinity, -Infinity, -Infinity, -Infinity]],
  ])('leaves a row that is %s to the strategy', (_, row) => {
    const sparse = SparseTargets.sample(matrix(row, [0, 9, 0, 0]), { samples: 4, seed: 0 });
    const student = matrix([0, 0, 0, 0], [0, 0, 0, 0]);
    const strategy = new ResponseDistillationStrategy<Float64Array>({ temperature: 1 });
    const loss = (mask: number[]) => strategy.computeLoss(student, sparse, undefined, { mask });
    expect(loss([0, 1])).toBeGreaterThan(0);
    expect(refusal(() => loss([1, 1]))).toMatchObject({ argument: 'teacher', row: 0 });
  });

  test('is refused by a loss that is infinite for classes that were never drawn', () => {
    const sparse = SparseTargets.sample(matrix([9, 0, 0]), { samples: 2, seed: 0 });
    const reverse = new ReverseKLDistillationStrategy<Float64Array>({ temperature: 1 });
    expect(refusal(() => reverse.computeLoss(matrix([0, 0, 0]), sparse))).toMatchObject({
      code: 'RULED_OUT',
      argument: "the teacher's tail",
    });
  });

  test.each<[string, unknown, unknown, string, string]>([
    ['an array', [[1, 2]], { samples: 1, seed: 0 }, 'WRONG_TYPE', 'logits'],
    ['no options', logits, undefined, 'WRONG_TYPE', 'options'],
    ['no draws', logits, { samples: 0, seed: 0 }, 'OUT_OF_RANGE', 'samples'],
    ['half a draw', logits, { samples: 1.5, seed: 0 }, 'OUT_OF_RANGE', 'samples'],
    ['no seed', logits, { samples: 2 }, 'WRONG_TYPE', 'seed'],
    ['a seed that is no integer', logits, { samples: 2, seed: 0.5 }, 'OUT_OF_RANGE', 'seed'],
    [
      'a temperature of 0',
      logits,
      { samples: 2, seed: 0, temperature: 0 },
      'OUT_OF_RANGE',
      'temperature',
    ],
    ['another option', logits, { samples: 2, seed: 0, k: 2 }, 'UNKNOWN_OPTION', 'options'],
  ])('refuses %s', (_, from, options, code, argument) => {
    const call = () =>
      SparseTargets.sample(wrong<Matrix<Float64Array>>(from), wrong<SamplingOptions>(options));
    expect(refusal(call)).toMatchObject({ operation: 'SparseTargets.sample', code, argument });
  });
});
