import { describe, expect, test } from 'vitest';
import { ResponseDistillationStrategy, ReverseKLDistillationStrategy } from '../../../src/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { COLDER, divergence, standardized } from './_cases.js';

proveStrategy(ReverseKLDistillationStrategy, {
  'by default': divergence(() => new ReverseKLDistillationStrategy()),
  'T = 0.5, alpha = 0.8': divergence(
    () => new ReverseKLDistillationStrategy({ temperature: 0.5, alpha: 0.8 }),
  ),
  'T = 20, without T²': divergence(
    () => new ReverseKLDistillationStrategy({ temperature: 20, temperatureSquared: false }),
  ),
  standardized: standardized(() => new ReverseKLDistillationStrategy({ standardizeLogits: true })),
  'a colder teacher': divergence(() => new ReverseKLDistillationStrategy(COLDER), {
    reachesMinimum: false,
  }),
});

// p = softmax([ln 3, 0]) = [3/4, 1/4], q = softmax([0, 0]) = [1/2, 1/2]
const teacher = matrix([Math.log(3), 0]);
const student = matrix([0, 0]);

function reverse(
  options: ConstructorParameters<typeof ReverseKLDistillationStrategy>[0] = { temperature: 1 },
): ReverseKLDistillationStrategy<Float64Array> {
  return new ReverseKLDistillationStrategy(options);
}

describe('ReverseKLDistillationStrategy by hand', () => {
  test('is KL(student ‖ teacher), with gradient q (d − Σ q d), d = log q − log p', () => {
    const { loss, gradient } = reverse().computeLossAndGradient(student, teacher);
    expect(loss).toBeCloseTo(0.5 * Math.log(2 / 3) + 0.5 * Math.log(2), 15);
    expect(gradient.get(0, 0)).toBeCloseTo(-Math.log(3) / 4, 15);
    expect(gradient.get(0, 1)).toBeCloseTo(Math.log(3) / 4, 15);
  });

  test('is the other divergence with the sides exchanged', () => {
    const forward = new ResponseDistillationStrategy<Float64Array>({ temperature: 1 });
    const loss = reverse().computeLoss(student, teacher);
    expect(loss).toBeCloseTo(forward.computeLoss(teacher, student), 15);
    expect(Math.abs(loss - forward.computeLoss(student, teacher))).toBeGreaterThan(0.01);
  });

  test('seeks a mode: of two equal ones it is content with either, and half of the mass is not', () => {
    const twoModes = matrix([5, 5, -5]);
    const one = reverse().computeLoss(matrix([5, -5, -5]), twoModes);
    const forward = new ResponseDistillationStrategy<Float64Array>({ temperature: 1 });
    expect(one).toBeCloseTo(Math.log(2), 2);
    expect(forward.computeLoss(matrix([5, -5, -5]), twoModes)).toBeGreaterThan(4);
  });
});

describe('ReverseKLDistillationStrategy at the edges', () => {
  test('a class that the student rules out adds 0, with gradient 0', () => {
    const result = reverse().computeLossAndGradient(
      matrix([0, 0, -Infinity]),
      matrix([Math.log(3), 0, 1]),
    );
    // KL([1/2, 1/2] ‖ p), p = [3, 1, e] / (4 + e)
    const total = 4 + Math.E;
    const expected = 0.5 * Math.log(total / 6) + 0.5 * Math.log(total / 2);
    expect(result.loss).toBeCloseTo(expected, 14);
    expect(result.gradient.get(0, 2)).toBe(0);
  });

  test('a class that the teacher alone rules out is an infinite loss: an error that names it', () => {
    const call = () =>
      reverse().computeLoss(matrix([0, 0], [0, 0]), matrix([0, 0], [0, -Infinity]));
    expect(refusal(call)).toMatchObject({
      code: 'RULED_OUT',
      argument: 'teacher',
      row: 1,
      column: 1,
      message:
        'ReverseKLDistillationStrategy.computeLoss: teacher row 1, column 1 must be above -Infinity where the student is, got -Infinity',
    });
  });

  test('keeps its digits where student and teacher are close', () => {
    for (const d of [1e-3, 1e-6, 1e-9]) {
      const loss = reverse().computeLoss(matrix([0, d]), matrix([0, 0]));
      expect(Math.abs(loss / ((d * d) / 8) - 1)).toBeLessThan(1e-6);
    }
  });

  test('a tail that does not exist is refused', () => {
    const create = () => reverse({ tail: wrong<'drop'>('zero') });
    expect(refusal(create)).toMatchObject({
      operation: 'ReverseKLDistillationStrategy',
      code: 'OUT_OF_RANGE',
      argument: 'tail',
    });
  });
});
