import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { curriculumWeights } from '../../src/index.js';
import { refusal, wrong } from '../support/refusal.js';

const orders = ['easy-first', 'hard-first'] as const;

describe('curriculumWeights', () => {
  test('adds rows one after another, as computed by hand', () => {
    const weights = (progress: number) => [...curriculumWeights([30, -1, 7, 2], progress)];
    expect(weights(0)).toEqual([0, 0, 0, 0]);
    expect(weights(0.125)).toEqual([0, 0.5, 0, 0]);
    expect(weights(0.25)).toEqual([0, 1, 0, 0]);
    expect(weights(0.6875)).toEqual([0, 1, 0.75, 1]);
    expect(weights(1)).toEqual([1, 1, 1, 1]);
  });

  test("adds hard rows first with order: 'hard-first'", () => {
    const weights = (progress: number) => [
      ...curriculumWeights([30, -1, 7, 2], progress, { order: 'hard-first' }),
    ];
    expect(weights(0.25)).toEqual([1, 0, 0, 0]);
    expect(weights(0.6875)).toEqual([1, 0, 1, 0.75]);
    expect(weights(1)).toEqual([1, 1, 1, 1]);
  });

  test('adds rows of the same difficulty together', () => {
    expect([...curriculumWeights([2, 1, 2, 2], 0.625)]).toEqual([0.5, 1, 0.5, 0.5]);
    expect([...curriculumWeights([5, 5], 0.3)]).toEqual([0.3, 0.3]);
    expect([...curriculumWeights([0, -0, 1], 1 / 3)]).toEqual([0.5, 0.5, 0]);
  });

  const difficulty = fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  const inputs = {
    difficulties: fc.array(difficulty, { minLength: 1, maxLength: 20 }),
    progress: fc.double({ min: 0, max: 1, noNaN: true }),
    order: fc.constantFrom(...orders),
  };

  test('gives weights in [0, 1] that sum to the share of the rows and fall along the order', () => {
    const property = fc.property(fc.record(inputs), ({ difficulties, progress, order }) => {
      const weights = curriculumWeights(difficulties, progress, { order });
      const sum = weights.reduce((total, weight) => total + weight, 0);
      expect(sum).toBeCloseTo(progress * difficulties.length, 12);
      const sign = order === 'easy-first' ? 1 : -1;
      for (const [i, weight] of weights.entries()) {
        expect(weight).toBeGreaterThanOrEqual(0);
        expect(weight).toBeLessThanOrEqual(1);
        for (const [j, other] of weights.entries()) {
          const isBefore = sign * difficulties[i]! < sign * difficulties[j]!;
          if (isBefore) expect(weight).toBeGreaterThanOrEqual(other);
          if (difficulties[i] === difficulties[j]) expect(weight).toBe(other);
        }
      }
    });
    fc.assert(property);
  });

  test('gives weights that never fall during the training', () => {
    const property = fc.property(fc.record({ ...inputs, later: inputs.progress }), (given) => {
      const { difficulties, order } = given;
      const [from, to] = [given.progress, given.later].sort((a, b) => a - b) as [number, number];
      const before = curriculumWeights(difficulties, from, { order });
      for (const [i, weight] of curriculumWeights(difficulties, to, { order }).entries()) {
        expect(weight).toBeGreaterThanOrEqual(before[i]!);
      }
    });
    fc.assert(property);
  });

  test('accepts typed arrays, and does not change them', () => {
    const difficulties = Float32Array.of(3, 1, 2);
    expect([...curriculumWeights(difficulties, 2 / 3)]).toEqual([0, 1, 1]);
    expect([...difficulties]).toEqual([3, 1, 2]);
  });
});

test.each<[string, readonly unknown[], object]>([
  ['a number', [3, 0.5], { code: 'WRONG_TYPE', argument: 'difficulties' }],
  ['no difficulty', [[], 0.5], { code: 'EMPTY', argument: 'difficulties' }],
  [
    'a difficulty that is none',
    [[1, Number.NaN], 0.5],
    { code: 'OUT_OF_RANGE', argument: 'difficulties[1]' },
  ],
  ['a difficulty in words', [[1, '2'], 0.5], { code: 'WRONG_TYPE', argument: 'difficulties[1]' }],
  ['steps for progress', [[1, 2], 100], { code: 'OUT_OF_RANGE', argument: 'progress' }],
  ['no progress', [[1, 2]], { code: 'WRONG_TYPE', argument: 'progress' }],
  ['progress of NaN', [[1, 2], Number.NaN], { code: 'OUT_OF_RANGE', argument: 'progress' }],
  [
    'another order',
    [[1, 2], 0.5, { order: 'random' }],
    { code: 'OUT_OF_RANGE', argument: 'order' },
  ],
  [
    'another option',
    [[1, 2], 0.5, { smooth: true }],
    { code: 'UNKNOWN_OPTION', argument: 'options' },
  ],
])('curriculumWeights refuses %s', (_, call, expected) => {
  const compute = () => curriculumWeights(...wrong<Parameters<typeof curriculumWeights>>(call));
  expect(refusal(compute)).toMatchObject({ operation: 'curriculumWeights', ...expected });
});
