import { describe, expect, test } from 'vitest';
import {
  concatenateColumns,
  FlowDistillationStrategy,
  Matrix,
  splitColumns,
} from '../../../src/index.js';
import { assertGradient, type StrategySubject } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { describeKernels } from '../../support/describeKernels.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';

function lawCase(
  channels: readonly [number, number],
  positions: number,
  teacherPositions = positions,
): StrategySubject {
  const count = channels[0] + channels[1];
  return {
    create: () => new FlowDistillationStrategy({ channels }),
    values: 'features',
    columns: { student: count * positions, teacher: count * teacherPositions },
    invariances: ['row-order'],
  };
}

proveStrategy(FlowDistillationStrategy, {
  'layers of one channel': lawCase([1, 1], 3),
  'more channels in the second layer': lawCase([1, 3], 2),
  'fewer positions in the teacher': lawCase([2, 1], 4, 2),
});

describe('FlowDistillationStrategy by hand', () => {
  test('compares the mean products of the channels of two layers', () => {
    const strategy = new FlowDistillationStrategy<Float64Array>({ channels: [1, 1] });
    const [first, second] = [matrix([1, 2]), matrix([3, 4])];
    const student = concatenateColumns(first, second);
    // G = (1 · 3 + 2 · 4) / 2 = 5.5; of the teacher, at one position, 1 · 2
    const { loss, gradient } = strategy.computeLossAndGradient(student, matrix([1, 2]));
    expect(loss).toBe(3.5 ** 2);
    // 2 · 3.5 / 2 times the other layer
    const [firstGradient, secondGradient] = splitColumns(gradient, 2);
    expect(firstGradient.toRows()).toEqual([[10.5, 14]]);
    expect(secondGradient.toRows()).toEqual([[3.5, 7]]);
  });

  test('sums over pairs of channels', () => {
    const strategy = new FlowDistillationStrategy<Float64Array>({ channels: [2, 1] });
    // G = [1 · 3, 2 · 3] against [0, 0]
    expect(strategy.computeLoss(matrix([1, 2, 3]), matrix([0, 0, 0]))).toBe(9 + 36);
  });
});

describeKernels('The flow between larger layers', () => {
  const channels = [9, 14] as const;
  const positions = 37;
  const wave = (step: number) =>
    new Matrix(
      Float64Array.from({ length: 2 * 23 * positions }, (_, i) => Math.sin(step * i * i)),
      2,
      23 * positions,
    );
  const strategy = new FlowDistillationStrategy<Float64Array>({ channels });

  test('agrees with the definition', () => {
    const [student, teacher] = [wave(1), wave(0.3)];
    const flow = (maps: Matrix<Float64Array>, row: number, c: number, d: number) => {
      let sum = 0;
      for (let i = 0; i < positions; i++) {
        sum += maps.get(row, c * positions + i) * maps.get(row, (9 + d) * positions + i);
      }
      return sum / positions;
    };
    let sum = 0;
    for (let row = 0; row < 2; row++) {
      for (let c = 0; c < 9; c++) {
        for (let d = 0; d < 14; d++) {
          sum += (flow(student, row, c, d) - flow(teacher, row, c, d)) ** 2;
        }
      }
    }
    expect(strategy.computeLoss(student, teacher)).toBeCloseTo(sum / 2, 12);
    assertGradient(strategy, student, teacher);
  });

  test('is exactly 0 at student = teacher, with a gradient of 0', () => {
    const { loss, gradient } = strategy.computeLossAndGradient(wave(1), wave(1));
    expect(loss).toBe(0);
    expect(gradient.data.every((value) => value === 0)).toBe(true);
  });
});

describe('FlowDistillationStrategy refuses', () => {
  test.each([
    ['student', matrix([1, 2, 3, 4]), matrix([1, 2, 3])],
    ['teacher', matrix([1, 2, 3]), matrix([1, 2, 3, 4])],
  ])('a %s that its channels do not divide', (argument, student, teacher) => {
    const strategy = new FlowDistillationStrategy<Float64Array>({ channels: [1, 2] });
    expect(refusal(() => strategy.computeLoss(student, teacher))).toMatchObject({
      code: 'SHAPE_MISMATCH',
      argument,
      message: `FlowDistillationStrategy.computeLoss: ${argument} has shape [1, 4], expected [1, positions × 3]`,
    });
  });

  test.each<[string, unknown, string]>([
    ['channels[0]', { channels: [0, 1] }, 'OUT_OF_RANGE'],
    ['channels[1]', { channels: [1, 1.5] }, 'OUT_OF_RANGE'],
    ['channels[1]', { channels: [1, '2'] }, 'WRONG_TYPE'],
    ['channels', { channels: [1] }, 'WRONG_TYPE'],
    ['channels', { channels: 2 }, 'WRONG_TYPE'],
    ['channels', {}, 'WRONG_TYPE'],
    ['channels', undefined, 'WRONG_TYPE'],
    ['options', { channels: [1, 1], pool: 'max' }, 'UNKNOWN_OPTION'],
  ])('bad %s', (argument, options, code) => {
    const call = () => new FlowDistillationStrategy(wrong<{ channels: [1, 1] }>(options));
    expect(refusal(call)).toMatchObject({ operation: 'FlowDistillationStrategy', argument, code });
  });
});
