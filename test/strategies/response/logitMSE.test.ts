import { describe, expect, test } from 'vitest';
import {
  FeatureDistillationStrategy,
  HybridDistillationStrategy,
  LogitMSEDistillationStrategy,
  Matrix,
} from '../../../src/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal } from '../../support/refusal.js';
import { COLDER, divergence, SUMMED_TOLERANCE, standardized } from './_cases.js';

proveStrategy(LogitMSEDistillationStrategy, {
  'by default': divergence(() => new LogitMSEDistillationStrategy(), {
    invariances: ['row-order', 'column-order'],
    float32Tolerance: SUMMED_TOLERANCE,
  }),
  'without T²': divergence(
    () => new LogitMSEDistillationStrategy({ temperature: 2, temperatureSquared: false }),
    { invariances: ['row-order', 'column-order'], float32Tolerance: SUMMED_TOLERANCE },
  ),
  standardized: standardized(() => new LogitMSEDistillationStrategy({ standardizeLogits: true })),
  'a colder teacher': divergence(() => new LogitMSEDistillationStrategy(COLDER), {
    invariances: ['row-order', 'column-order'],
    reachesMinimum: false,
    float32Tolerance: SUMMED_TOLERANCE,
  }),
});

function logitMSE(
  options: ConstructorParameters<typeof LogitMSEDistillationStrategy>[0] = {},
): LogitMSEDistillationStrategy<Float64Array> {
  return new LogitMSEDistillationStrategy(options);
}

const student = matrix([1, 2, 4]);
const teacher = matrix([0, 4, 4]);

describe('LogitMSEDistillationStrategy by hand', () => {
  test('is the mean over classes of the squared differences', () => {
    const { loss, gradient } = logitMSE().computeLossAndGradient(student, teacher);
    expect(loss).toBeCloseTo(5 / 3, 14);
    [2 / 3, -4 / 3, 0].forEach((value, j) => {
      expect(gradient.get(0, j)).toBeCloseTo(value, 14);
    });
  });

  test('does not depend on the temperature, unless T² is off', () => {
    expect(logitMSE({ temperature: 7 }).computeLoss(student, teacher)).toBeCloseTo(5 / 3, 14);
    const plain = logitMSE({ temperature: 2, temperatureSquared: false });
    expect(plain.computeLoss(student, teacher)).toBeCloseTo(5 / 12, 15);
    expect(plain.computeGradient(student, teacher).get(0, 1)).toBeCloseTo(-1 / 3, 15);
  });

  test('depends on a constant added to a row, unlike a divergence', () => {
    const shifted = matrix([11, 12, 14]);
    expect(logitMSE().computeLoss(shifted, student)).toBeCloseTo(100, 12);
  });

  test('adds α · CE for a label, for any T²', () => {
    const labels = Int32Array.of(1);
    const same = matrix([Math.log(3), 0]);
    const loss = logitMSE({ alpha: 0.25 }).computeLoss(same, same.clone(), labels);
    expect(loss).toBeCloseTo(0.25 * Math.log(4), 14);
  });
});

describe('LogitMSEDistillationStrategy at the edges', () => {
  test('ignores a class that both sides rule out, with gradient 0', () => {
    const { loss, gradient } = logitMSE().computeLossAndGradient(
      matrix([1, 2, -Infinity]),
      matrix([0, 4, -Infinity]),
    );
    expect(loss).toBeCloseTo(5 / 3, 14);
    expect(gradient.get(0, 2)).toBe(0);
  });

  test.each(['student', 'teacher'])('refuses a class that only the %s rules out', (side) => {
    const ruledOut = matrix([1, 2, -Infinity]);
    const call = () =>
      side === 'student'
        ? logitMSE().computeLoss(ruledOut, teacher)
        : logitMSE().computeLoss(student, ruledOut);
    expect(refusal(call)).toMatchObject({ code: 'RULED_OUT', argument: side, row: 0, column: 2 });
  });
});

test('refuses a gradient that overflows its dtype, at any place in a hybrid', () => {
  const [student, zero] = [Matrix.fromRows([[1, 2, 1e19]]), Matrix.zeros(1, 3)];
  const heavy = { strategy: new LogitMSEDistillationStrategy(), weight: 1e25 };
  const light = { strategy: new LogitMSEDistillationStrategy(), weight: 1, name: 'light' };
  const feature = { strategy: new FeatureDistillationStrategy(), weight: 1e25 };
  for (const entries of [[heavy], [feature], [light, feature]]) {
    const hybrid = new HybridDistillationStrategy(entries, { weights: 'free' });
    expect(refusal(() => hybrid.computeGradient(student, zero))).toMatchObject({
      code: 'OVERFLOW',
    });
  }
});
