import { describe, expect, test } from 'vitest';
import { TotalVariationDistillationStrategy } from '../../../src/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal } from '../../support/refusal.js';
import { COLDER, divergence, KINKED } from './_cases.js';

proveStrategy(
  TotalVariationDistillationStrategy,
  {
    'by default': divergence(() => new TotalVariationDistillationStrategy(), KINKED),
    'T = 1, alpha = 0.9': divergence(
      () => new TotalVariationDistillationStrategy({ temperature: 1, alpha: 0.9 }),
      KINKED,
    ),
    'a colder teacher': divergence(() => new TotalVariationDistillationStrategy(COLDER), {
      ...KINKED,
      reachesMinimum: false,
    }),
  },
  {
    // Rounding takes a tie away, with its derivative of 0: where a constant is added, and where
    // log-probabilities are stored. Where a side is all but sure, differences step over a tie.
    invariances: ['row-order'],
    magnitude: 2,
    reachesMinimum: false,
    jumps: true,
  },
);

// p = softmax([ln 3, 0]) = [3/4, 1/4], q = softmax([0, 0]) = [1/2, 1/2]
const teacher = matrix([Math.log(3), 0]);
const student = matrix([0, 0]);

const strategy = new TotalVariationDistillationStrategy<Float64Array>({ temperature: 1 });

describe('TotalVariationDistillationStrategy by hand', () => {
  test('is half the sum of the absolute differences, with gradient q (sign / 2 − Σ q sign / 2)', () => {
    const { loss, gradient } = strategy.computeLossAndGradient(student, teacher);
    expect(loss).toBeCloseTo(1 / 4, 15);
    expect(gradient.get(0, 0)).toBeCloseTo(-1 / 4, 15);
    expect(gradient.get(0, 1)).toBeCloseTo(1 / 4, 15);
    expect(strategy.computeLoss(teacher, student)).toBeCloseTo(loss, 15);
  });

  test('is at most 1, which sides without a class in common reach, and T² times that', () => {
    const [first, second] = [matrix([0, -Infinity]), matrix([-Infinity, 0])];
    expect(strategy.computeLoss(first, second)).toBe(1);
    const at3 = new TotalVariationDistillationStrategy<Float64Array>();
    expect(at3.computeLoss(first, second)).toBe(9);
  });
});

describe('TotalVariationDistillationStrategy at the edges', () => {
  test('a tie has derivative 0', () => {
    const { loss, gradient } = strategy.computeLossAndGradient(teacher, teacher.clone());
    expect(loss).toBe(0);
    expect([...gradient.data]).toEqual([0, 0]);
  });

  test('either side may rule a class out', () => {
    const [all, some] = [matrix([0, 0]), matrix([0, -Infinity])];
    expect(strategy.computeLoss(all, some)).toBeCloseTo(0.5, 15);
    expect(strategy.computeLoss(some, all)).toBeCloseTo(0.5, 15);
    expect(strategy.computeLoss(some, some.clone())).toBe(0);
  });

  test('keeps its digits where student and teacher are close', () => {
    // For a small difference d between two logits of two classes at p = q = 1/2, it is d / 4.
    for (const d of [1e-3, 1e-6, 1e-8]) {
      const loss = strategy.computeLoss(matrix([0, d]), matrix([0, 0]));
      expect(Math.abs(loss / (d / 4) - 1)).toBeLessThan(1e-6);
    }
  });

  test('a row that rules out everything, and a label that is ruled out, are refused', () => {
    const nothing = matrix([-Infinity, -Infinity]);
    expect(refusal(() => strategy.computeLoss(student, nothing))).toMatchObject({
      code: 'RULED_OUT',
      argument: 'teacher',
      row: 0,
    });
    const call = () => strategy.computeLoss(matrix([0, -Infinity]), teacher, Int32Array.of(1));
    expect(refusal(call)).toMatchObject({ code: 'RULED_OUT', argument: 'student', column: 1 });
  });
});
