import { expect, test } from 'vitest';
import {
  IGNORE_INDEX,
  ResponseDistillationStrategy,
  UNLABELED,
  virtualTeacher,
} from '../../src/index.js';
import { refusal, wrong } from '../support/refusal.js';

test('a virtual teacher gives the label its probability, and shares the remainder equally', () => {
  const teacher = virtualTeacher(Int32Array.of(1, 0), 5, { correct: 0.8 });
  expect(teacher.numeric.dtype).toBe('float32');
  const probabilities = teacher.toRows().map((row) => row.map(Math.exp));
  const expected = [
    [0.05, 0.8, 0.05, 0.05, 0.05],
    [0.8, 0.05, 0.05, 0.05, 0.05],
  ];
  for (const [i, row] of probabilities.entries()) {
    for (const [j, value] of row.entries()) expect(value).toBeCloseTo(expected[i]![j]!, 6);
  }
  expect(Math.exp(virtualTeacher(Int32Array.of(0), 2).get(0, 0))).toBeCloseTo(0.99, 6);
});

test('a virtual teacher has equal logits in a row without a label', () => {
  const teacher = virtualTeacher(Int32Array.of(IGNORE_INDEX, UNLABELED), 3);
  expect(teacher.toRows()).toEqual([
    [0, 0, 0],
    [0, 0, 0],
  ]);
});

test("a student with the virtual teacher's distribution has a soft loss of 0", () => {
  const teacher = virtualTeacher(Int32Array.of(2, 0), 3, { correct: 0.9 });
  const strategy = new ResponseDistillationStrategy({ temperature: 20 });
  expect(strategy.computeLoss(teacher.clone(), teacher)).toBeCloseTo(0, 12);
});

test.each([
  ['labels', [[0, 1], 3], 'WRONG_TYPE'],
  ['labels', [Int32Array.of(0, 3), 3], 'OUT_OF_RANGE'],
  ['labels', [Int32Array.of(-2), 3], 'OUT_OF_RANGE'],
  ['classes', [Int32Array.of(0), 1], 'OUT_OF_RANGE'],
  ['correct', [Int32Array.of(0), 4, { correct: 0.25 }], 'OUT_OF_RANGE'],
  ['correct', [Int32Array.of(0), 4, { correct: 1 }], 'OUT_OF_RANGE'],
  ['options', [Int32Array.of(0), 4, { smoothing: 0.1 }], 'UNKNOWN_OPTION'],
])('invalid %s are refused', (argument, call, code) => {
  expect(
    refusal(() => virtualTeacher(...wrong<Parameters<typeof virtualTeacher>>(call))),
  ).toMatchObject({
    argument,
    code,
  });
});
