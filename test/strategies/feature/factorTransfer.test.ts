import { describe, expect, test } from 'vitest';
import {
  AttentionTransferDistillationStrategy,
  FactorTransferDistillationStrategy,
} from '../../../src/index.js';
import type { StrategySubject } from '../../../src/testing/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { isNonZero } from '../_cases.js';

/**
 * Not near the teacher: equal factors differ by some roundings, where the sum of absolute
 * differences has a kink that no step resolves.
 */
const isApart: NonNullable<StrategySubject['isRegular']> = (row, index, _, teacher) =>
  isNonZero(row) &&
  (!teacher || teacher[index]!.some((value, j) => Math.abs(value - row[j]!) > 0.05));

function lawCase(
  options: ConstructorParameters<typeof FactorTransferDistillationStrategy>[0],
  invariances: StrategySubject['invariances'],
): StrategySubject {
  return {
    create: () => new FactorTransferDistillationStrategy(options),
    values: 'features',
    isRegular: isNonZero,
    invariances,
    rounding: 1e-9, // divided by the norm of a row, which may be as small as 1/32
  };
}

proveStrategy(FactorTransferDistillationStrategy, {
  // Scaling a row, or adding its squares in another order, may break a tie.
  'by default': { ...lawCase({}, ['row-order']), isRegular: isApart },
  'exponent 2': lawCase({ exponent: 2 }, [
    'row-order',
    'column-order',
    'student-scale',
    'teacher-scale',
  ]),
  'with channels': {
    ...lawCase({ channels: 2 }, ['row-order']),
    isRegular: isApart,
    columns: 6,
  },
  'with other channels, exponent 2': {
    ...lawCase({ exponent: 2, channels: { student: 1, teacher: 3 } }, [
      'row-order',
      'student-scale',
    ]),
    columns: { student: 3, teacher: 9 },
  },
});

function factorTransfer(
  options: ConstructorParameters<typeof FactorTransferDistillationStrategy<Float64Array>>[0] = {},
): FactorTransferDistillationStrategy<Float64Array> {
  return new FactorTransferDistillationStrategy(options);
}

describe('FactorTransferDistillationStrategy by hand', () => {
  test('is the mean absolute difference of the rows divided by their norms', () => {
    const { loss, gradient } = factorTransfer().computeLossAndGradient(
      matrix([3, 4], [0, -2]),
      matrix([10, 0], [0, 5]),
    );
    // [0.6, 0.8] − [1, 0], and [0, −1] − [0, 1]
    expect(loss).toBeCloseTo((1.2 + 2) / 2 / 2, 15);
    // ½ [−1, 1], less its part along [0.6, 0.8], by ‖s‖ = 5 and two rows
    expect(gradient.get(0, 0)).toBeCloseTo((0.5 * (-1 - 0.2 * 0.6)) / 5 / 2, 15);
    expect(gradient.get(0, 1)).toBeCloseTo((0.5 * (1 - 0.2 * 0.8)) / 5 / 2, 15);
    expect(gradient.get(1, 0)).toBe(0);
    expect(gradient.get(1, 1)).toBeCloseTo(0, 15);
  });

  test('sums the squares of the differences with exponent 2', () => {
    const strategy = factorTransfer({ exponent: 2 });
    const loss = strategy.computeLoss(matrix([3, 4]), matrix([10, 0]));
    expect(loss).toBeCloseTo((0.4 ** 2 + 0.8 ** 2) / 2, 15);
    expect(factorTransfer().exponent).toBe(1);
  });

  test('uses the unit map of the mean squares over channels', () => {
    const strategy = factorTransfer({ channels: { student: 2, teacher: 1 } });
    // (1² + 1²)/2, (2² + 0²)/2 = 1, 2 → [1, 2]/√5; teacher [1, 0] → [1, 0]
    const { loss, gradient } = strategy.computeLossAndGradient(
      matrix([1, 2, 1, 0]),
      matrix([1, 0]),
    );
    const [a, b] = [1 / Math.sqrt(5), 2 / Math.sqrt(5)];
    expect(loss).toBeCloseTo((1 - a + b) / 2, 15);
    expect(gradient.get(0, 0)).toBe(gradient.get(0, 2));
    expect(gradient.get(0, 3)).toBe(0);
    // exponent 2 is attention transfer
    const call = [matrix([1, 2, 1, 0]), matrix([1, 0])] as const;
    const channels = { student: 2, teacher: 1 };
    const squared = factorTransfer({ exponent: 2, channels }).computeLossAndGradient(...call);
    const attention = new AttentionTransferDistillationStrategy<Float64Array>({ channels });
    const expected = attention.computeLossAndGradient(...call);
    expect(squared.loss).toBeCloseTo(expected.loss, 15);
    squared.gradient.data.forEach((value, i) => {
      expect(value).toBeCloseTo(expected.gradient.data[i]!, 15);
    });
  });

  test.each([undefined, 1])(
    'keeps a zero row at zero, with gradient 0, channels %s',
    (channels) => {
      const strategy = factorTransfer(channels ? { channels } : {});
      for (const [teacher, expected] of [
        [[0, 3], 0.5],
        [[0, 0], 0],
      ] as const) {
        const { loss, gradient } = strategy.computeLossAndGradient(
          matrix([0, 0]),
          matrix([...teacher]),
        );
        expect(loss).toBe(expected);
        expect(gradient.toRows()).toEqual([[0, 0]]);
      }
    },
  );

  test('is exactly 0, with gradient 0, at student = teacher', () => {
    const rows = matrix([0.1, -0.3, -7, 0], [1e150, -1e150, 3, -0.5]);
    for (const options of [{}, { exponent: 2 }, { channels: 2 }] as const) {
      const { loss, gradient } = factorTransfer(options).computeLossAndGradient(rows, rows.clone());
      expect(loss).toBe(0);
      expect(gradient.data.every((value) => value === 0)).toBe(true);
    }
  });

  test('finds a NaN or an infinity, also beside zeros', () => {
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      for (const options of [{}, { channels: 2 }]) {
        const call = () => factorTransfer(options).computeLoss(matrix([0, 0]), matrix([0, value]));
        expect(refusal(call)).toMatchObject({ code: 'NOT_FINITE', argument: 'teacher', column: 1 });
      }
    }
  });

  test('requires equal columns or, with channels, equal positions', () => {
    const flat = () => factorTransfer().computeLoss(matrix([1, 2]), matrix([1, 2, 3]));
    expect(refusal(flat)).toMatchObject({ code: 'SHAPE_MISMATCH', argument: 'teacher' });
    const maps = () =>
      factorTransfer({ channels: 2 }).computeLoss(matrix([1, 2, 3, 4]), matrix([1, 2]));
    expect(refusal(maps)).toMatchObject({ code: 'SHAPE_MISMATCH', argument: 'teacher' });
  });

  test.each<[string, object, string]>([
    ['exponent', { exponent: 0.5 }, 'OUT_OF_RANGE'],
    ['exponent', { exponent: '2' }, 'WRONG_TYPE'],
    ['channels.student', { channels: 0 }, 'OUT_OF_RANGE'],
    ['channels.teacher', { channels: { student: 1 } }, 'WRONG_TYPE'],
    ['options', { power: 2 }, 'UNKNOWN_OPTION'],
  ])('refuses bad %s', (argument, options, code) => {
    expect(refusal(() => factorTransfer(wrong<object>(options)))).toMatchObject({
      operation: 'FactorTransferDistillationStrategy',
      argument,
      code,
    });
  });
});
