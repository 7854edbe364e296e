import { describe, expect, test } from 'vitest';
import {
  Matrix,
  NeuronSelectivityDistillationStrategy,
  poolPositions,
} from '../../../src/index.js';
import { assertGradient, type StrategySubject } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { describeKernels } from '../../support/describeKernels.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { isNonZero } from '../_cases.js';

/** Rows in which none of `channels` channels is zero. */
function hasChannels(channels: number): (row: readonly number[]) => boolean {
  return (row) => {
    const positions = row.length / channels;
    return Array.from({ length: channels }, (_, c) =>
      row.slice(c * positions, (c + 1) * positions),
    ).every(isNonZero);
  };
}

function lawCase(student: number, teacher: number, positions: number): StrategySubject {
  return {
    create: () => new NeuronSelectivityDistillationStrategy({ channels: { student, teacher } }),
    values: 'features',
    columns: { student: student * positions, teacher: teacher * positions },
    isRegular: hasChannels(student),
    invariances: ['row-order', 'column-order', 'student-scale', 'teacher-scale'],
    rounding: 1e-9, // divided by the norms of channels
  };
}

function strategyFor(
  student: number,
  teacher: number,
): NeuronSelectivityDistillationStrategy<Float64Array> {
  return new NeuronSelectivityDistillationStrategy({ channels: { student, teacher } });
}

describe('NeuronSelectivityDistillationStrategy by hand', () => {
  test('agrees with a computation by hand for fewer positions than channels', () => {
    // mean ŝ ŝᵀ = ½ I, t̂ t̂ᵀ = [.36 .48; .48 .64], their difference D = [.14 −.48; −.48 −.14]
    const strategy = strategyFor(2, 1);
    const { loss, gradient } = strategy.computeLossAndGradient(
      matrix([2, 0, 0, 1]),
      matrix([3, 4]),
    );
    expect(loss).toBeCloseTo(2 * 0.14 ** 2 + 2 * 0.48 ** 2, 15);
    // 4/2 · ŝ D without what is along ŝ, divided by ‖s‖
    const [first] = gradient.toRows();
    for (const [i, value] of [0, -0.48, -0.96, 0].entries())
      expect(first![i]).toBeCloseTo(value, 15);
  });

  test('agrees with a computation by hand for more positions than channels', () => {
    // k(ŝ, ŝ) = k(t̂, t̂) = 1, k(ŝ, t̂) = 0.6²
    const { loss, gradient } = strategyFor(1, 1).computeLossAndGradient(
      matrix([2, 0, 0]),
      matrix([3, 4, 0]),
    );
    expect(loss).toBeCloseTo(2 - 2 * 0.36, 15);
    // 4 (ŝ − 0.6 t̂) without what is along ŝ, divided by ‖s‖
    const [first] = gradient.toRows();
    for (const [i, value] of [0, -0.96, 0].entries()) expect(first![i]).toBeCloseTo(value, 15);
  });

  test('does not depend on the order of channels, nor on the sign or scale of each', () => {
    const strategy = strategyFor(2, 2);
    const teacher = matrix([1, 2, 0, 4, 0, 3, -1, 1, 2, 0]);
    const same = matrix([-3, 1, -1, -2, 0, 0.5, 1, 0, 2, 0]);
    expect(strategy.computeLoss(same, teacher)).toBeCloseTo(0, 15);
  });

  test('keeps a channel of zeros at zero, with gradient 0', () => {
    const strategy = strategyFor(2, 1);
    const { loss, gradient } = strategy.computeLossAndGradient(
      matrix([0, 0, 0, 0, 1, 0, 0, 0]),
      matrix([0, 2, 0, 0]),
    );
    expect(loss).toBe(0.25 + 1);
    expect(gradient.toRows()).toEqual([[0, 0, 0, 0, 0, 0, 0, 0]]);
  });

  test('neither overflows nor underflows before a unit map', () => {
    const strategy = strategyFor(1, 1);
    expect(strategy.computeLoss(matrix([3e200, 4e200]), matrix([3, 4]))).toBeCloseTo(0, 15);
  });

  test('compares maps of different sizes after pooling one side', () => {
    const strategy = strategyFor(1, 1);
    const pool = poolPositions({ height: 2, width: 2 }, { height: 1, width: 2 });
    expect(strategy.computeLoss(pool.apply(matrix([1, 2, 5, 6])), matrix([3, 4]))).toBe(0);
  });
});

describeKernels('Larger maps', () => {
  const sizes = [
    [20, 12],
    [12, 40],
    [5, 131],
    [65, 150],
  ] as const;
  const wave = (channels: number, positions: number, step: number) =>
    new Matrix(
      Float64Array.from({ length: 2 * channels * positions }, (_, i) => Math.sin(step * i * i)),
      2,
      channels * positions,
    );

  test.each(sizes)(
    'have loss and gradient exactly 0 at the teacher: %i channels, %i positions',
    (channels, positions) => {
      const strategy = strategyFor(channels, channels);
      const [student, teacher] = [wave(channels, positions, 1), wave(channels, positions, 1)];
      const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
      expect(loss).toBe(0);
      expect(gradient.data.every((value) => value === 0)).toBe(true);
    },
  );

  test.each(sizes)(
    'have the gradient of their loss: %i channels, %i positions',
    (channels, positions) => {
      const [student, teacher] = [wave(channels, positions, 1), wave(9, positions, 0.3)];
      assertGradient(strategyFor(channels, 9), student, teacher, undefined, { maxCoordinates: 20 });
    },
  );
});

describe('NeuronSelectivityDistillationStrategy refuses', () => {
  test.each([
    ['student', matrix([1, 2, 3]), matrix([1, 2])],
    ['teacher', matrix([1, 2, 3, 4]), matrix([1, 2, 3])],
  ])('a %s of other positions', (argument, student, teacher) => {
    const call = () => strategyFor(2, 1).computeLoss(student, teacher);
    expect(refusal(call)).toMatchObject({ code: 'SHAPE_MISMATCH', argument });
  });

  test.each<[string, unknown, string]>([
    ['channels.student', { channels: 0 }, 'OUT_OF_RANGE'],
    ['channels.teacher', { channels: { student: 1 } }, 'WRONG_TYPE'],
    ['channels', {}, 'WRONG_TYPE'],
    ['channels', undefined, 'WRONG_TYPE'],
    ['options', { channels: 1, kernel: 'linear' }, 'UNKNOWN_OPTION'],
  ])('bad %s', (argument, options, code) => {
    const call = () => new NeuronSelectivityDistillationStrategy(wrong<{ channels: 1 }>(options));
    expect(refusal(call)).toMatchObject({
      operation: 'NeuronSelectivityDistillationStrategy',
      argument,
      code,
    });
  });
});

// These calls come after the larger maps on purpose. Once JavaScript's product loops have met
// arrays of both dtypes, they run about ten times slower, and the gradients above take minutes.
proveStrategy(NeuronSelectivityDistillationStrategy, {
  'more channels than positions': lawCase(2, 2, 3),
  'more positions than channels': lawCase(2, 2, 5),
  'other channels': lawCase(2, 3, 2),
  'other channels, more positions': lawCase(2, 1, 4),
});
