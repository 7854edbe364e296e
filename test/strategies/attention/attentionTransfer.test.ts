import { describe, expect, test } from 'vitest';
import { AttentionTransferDistillationStrategy } from '../../../src/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { isNonZero } from '../_cases.js';

proveStrategy(AttentionTransferDistillationStrategy, {
  'by default': {
    create: () => new AttentionTransferDistillationStrategy({ channels: 2 }),
    isRegular: isNonZero,
    values: 'features',
    columns: 6,
    invariances: ['row-order', 'student-scale', 'teacher-scale'],
    rounding: 1e-9,
  },
  'with other channels': {
    create: () =>
      new AttentionTransferDistillationStrategy({ channels: { student: 1, teacher: 3 } }),
    isRegular: isNonZero,
    values: 'features',
    columns: { student: 3, teacher: 9 },
    invariances: ['row-order'],
  },
  'power 4': {
    create: () => new AttentionTransferDistillationStrategy({ channels: 3, power: 4 }),
    isRegular: isNonZero,
    values: 'features',
    columns: 6,
    invariances: ['row-order'],
  },
  'power 1': {
    create: () => new AttentionTransferDistillationStrategy({ channels: 3, power: 1 }),
    isRegular: isNonZero,
    values: 'features',
    columns: 6,
    invariances: ['row-order'],
  },
});

describe('AttentionTransferDistillationStrategy by hand', () => {
  test('compares the unit maps of the mean squared activations', () => {
    const strategy = new AttentionTransferDistillationStrategy<Float64Array>({
      channels: { student: 2, teacher: 1 },
    });
    // v = (1² + 1²)/2, (2² + 0²)/2 = 1, 2 → [1, 2]/√5; teacher [1, 0] → [1, 0]
    const loss = strategy.computeLoss(matrix([1, 2, 1, 0]), matrix([1, 0]));
    const [a, b] = [1 / Math.sqrt(5), 2 / Math.sqrt(5)];
    expect(loss).toBeCloseTo(((a - 1) ** 2 + b ** 2) / 2, 15);
  });

  test('uses |z|^power, so that the sign has no effect', () => {
    const strategy = new AttentionTransferDistillationStrategy<Float64Array>({
      channels: 1,
      power: 3,
    });
    expect(strategy.computeLoss(matrix([-1, 2]), matrix([1, -2]))).toBe(0);
  });

  test('the unit map of zeros is zero, with gradient 0', () => {
    for (const power of [1, 2]) {
      const strategy = new AttentionTransferDistillationStrategy<Float64Array>({
        channels: 1,
        power,
      });
      const { loss, gradient } = strategy.computeLossAndGradient(matrix([0, 0]), matrix([3, 0]));
      expect(loss).toBe(0.5);
      expect(gradient.toRows()).toEqual([[0, 0]]);
    }
  });

  test('a map below the floor of 1e-12 is divided by the floor, in value and gradient', () => {
    const strategy = new AttentionTransferDistillationStrategy<Float64Array>({ channels: 1 });
    // v = 1e-14, map = 1e-14 / 1e-12 = 0.01
    const { loss, gradient } = strategy.computeLossAndGradient(matrix([1e-7, 0]), matrix([0, 0]));
    expect(loss).toBeCloseTo(0.5 * 0.01 ** 2, 15);
    // d loss / dz = map · 2z / 1e-12
    expect(gradient.get(0, 0) / ((0.01 * 2e-7) / 1e-12)).toBeCloseTo(1, 12);
  });

  test('neither overflows nor underflows before the unit map', () => {
    const strategy = new AttentionTransferDistillationStrategy<Float64Array>({ channels: 1 });
    expect(strategy.computeLoss(matrix([3e150, 4e150]), matrix([3, 4]))).toBeCloseTo(0, 15);
    const call = () => strategy.computeLoss(matrix([3e200, 4e200]), matrix([3, 4]));
    expect(refusal(call)).toMatchObject({ code: 'OVERFLOW' });
  });

  test.each([
    ['student', matrix([1, 2, 3]), matrix([1, 2])],
    ['teacher', matrix([1, 2, 3, 4]), matrix([1, 2, 3])],
  ])('refuses a %s that its channels do not divide', (argument, student, teacher) => {
    const strategy = new AttentionTransferDistillationStrategy<Float64Array>({
      channels: { student: 2, teacher: 1 },
    });
    expect(refusal(() => strategy.computeLoss(student, teacher))).toMatchObject({
      code: 'SHAPE_MISMATCH',
      argument,
    });
  });

  test('names the ways to compare maps of other sizes', () => {
    const strategy = new AttentionTransferDistillationStrategy<Float64Array>({ channels: 2 });
    const call = () => strategy.computeLoss(matrix([1, 2, 3, 4]), matrix([1, 2, 3, 4, 5, 6]));
    expect(refusal(call).message).toBe(
      'AttentionTransferDistillationStrategy.computeLoss: teacher has shape [1, 6], expected [1, 4] (2 channels × 2 positions); or pool one side with poolPositions',
    );
  });

  test('names the minimum number of columns', () => {
    const strategy = new AttentionTransferDistillationStrategy<Float64Array>({ channels: 3 });
    expect(refusal(() => strategy.computeLoss(matrix([1, 2]), matrix([1, 2]))).message).toBe(
      'AttentionTransferDistillationStrategy.computeLoss: student has shape [1, 2], expected [1, 3] (3 channels × 1 positions)',
    );
  });

  test('explains channels if they are missing', () => {
    const call = () => new AttentionTransferDistillationStrategy(wrong({}));
    expect(refusal(call).message).toBe(
      'AttentionTransferDistillationStrategy: channels must be a number, or { student, teacher }, got undefined',
    );
  });

  test.each<[string, () => unknown, string]>([
    [
      'channels.student',
      () => new AttentionTransferDistillationStrategy({ channels: 0 }),
      'OUT_OF_RANGE',
    ],
    ['channels', () => new AttentionTransferDistillationStrategy(wrong({})), 'WRONG_TYPE'],
    ['channels', () => new AttentionTransferDistillationStrategy(wrong(undefined)), 'WRONG_TYPE'],
    [
      'channels.teacher',
      () => new AttentionTransferDistillationStrategy(wrong({ channels: { student: 1 } })),
      'WRONG_TYPE',
    ],
    [
      'power',
      () => new AttentionTransferDistillationStrategy({ channels: 1, power: 0.5 }),
      'OUT_OF_RANGE',
    ],
    [
      'power',
      () => new AttentionTransferDistillationStrategy({ channels: 1, power: Infinity }),
      'OUT_OF_RANGE',
    ],
  ])('refuses bad %s', (argument, call, code) => {
    expect(refusal(call)).toMatchObject({
      operation: 'AttentionTransferDistillationStrategy',
      argument,
      code,
    });
  });
});
