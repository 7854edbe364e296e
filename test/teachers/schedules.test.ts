import { describe, expect, test } from 'vitest';
import { cosine, linear, piecewise, type Schedule } from '../../src/index.js';
import { refusal, wrong } from '../support/refusal.js';

const at = (schedule: Schedule, steps: readonly number[]): number[] => steps.map(schedule);

test('linear interpolates between two numbers, and then stays constant', () => {
  expect(at(linear({ from: 4, to: 1, steps: 6 }), [0, 1, 2, 6, 7, 1e9])).toEqual([
    4, 3.5, 3, 1, 1, 1,
  ]);
});

test('cosine starts and ends slowly, with the mean of both numbers in the middle', () => {
  const [start, third, half, twoThirds, end, after] = at(
    cosine({ from: 0, to: 1, steps: 6 }),
    [0, 2, 3, 4, 6, 60],
  );
  expect([start, end, after]).toEqual([0, 1, 1]);
  expect(third).toBeCloseTo(0.25, 15);
  expect(half).toBeCloseTo(0.5, 15);
  expect(twoThirds).toBeCloseTo(0.75, 15);
});

test('piecewise interpolates between its points, and is constant before and after them', () => {
  const points = [
    [10, 2],
    [20, 4],
    [24, 0],
  ] as const;
  const steps = [0, 10, 15, 20, 21, 24, 25];
  expect(at(piecewise(points), steps)).toEqual([2, 2, 3, 4, 3, 0, 0]);
  expect(at(piecewise([[5, 7]]), [0, 5, 6])).toEqual([7, 7, 7]);
});

test("a schedule keeps its points when the caller's array changes", () => {
  const points: [number, number][] = [[0, 1]];
  const schedule = piecewise(points);
  points[0]![1] = 2;
  expect(schedule(0)).toBe(1);
});

describe('schedules refuse', () => {
  const options = { from: 0, to: 1, steps: 2 };
  test.each([
    ['from', { ...options, from: Number.NaN }, 'OUT_OF_RANGE'],
    ['to', { ...options, to: Number.POSITIVE_INFINITY }, 'OUT_OF_RANGE'],
    ['steps', { ...options, steps: 0 }, 'OUT_OF_RANGE'],
    ['steps', { ...options, steps: 1.5 }, 'OUT_OF_RANGE'],
    ['steps', { from: 0, to: 1 }, 'WRONG_TYPE'],
    ['options', { ...options, start: 1 }, 'UNKNOWN_OPTION'],
  ])('%s', (argument, given, code) => {
    for (const schedule of [linear, cosine]) {
      expect(refusal(() => schedule(wrong(given)))).toMatchObject({ argument, code });
    }
  });

  test.each([
    ['points', [], 'EMPTY'],
    ['points', undefined, 'WRONG_TYPE'],
    ['points[0]', [3], 'WRONG_TYPE'],
    ['points[0][0]', [[-1, 3]], 'OUT_OF_RANGE'],
    ['points[0][1]', [[1, Number.NaN]], 'OUT_OF_RANGE'],
    [
      'points[1][0]',
      [
        [1, 3],
        [1, 4],
      ],
      'OUT_OF_RANGE',
    ],
  ])('%s', (argument, points, code) => {
    expect(refusal(() => piecewise(wrong(points)))).toMatchObject({ argument, code });
  });

  test.each([-1, 0.5, Number.NaN])('step %d', (step) => {
    for (const schedule of [linear(options), cosine(options), piecewise([[0, 1]])]) {
      expect(refusal(() => schedule(step))).toMatchObject({
        argument: 'step',
        code: 'OUT_OF_RANGE',
      });
    }
  });
});
