import { expect, test } from 'vitest';
import { updateAverage } from '../../src/index.js';
import { refusal, wrong } from '../support/refusal.js';

test('updateAverage moves a target towards a source, in place', () => {
  const target = Float64Array.of(1, -2, 4);
  const source = Float64Array.of(3, -2, 0);
  updateAverage(target, source, 0.75);
  expect([...target]).toEqual([1.5, -2, 3]);
  expect([...source]).toEqual([3, -2, 0]);
  updateAverage(target, source, 1);
  expect([...target]).toEqual([1.5, -2, 3]);
  updateAverage(target, source, 0);
  expect(target).toEqual(source);
});

test('updateAverage accepts weights of either dtype', () => {
  const target = Float32Array.of(1);
  updateAverage(target, Float64Array.of(2), 0.5);
  expect([...target]).toEqual([1.5]);
});

test.each([
  ['target', [[1], Float32Array.of(1), 0.5], 'WRONG_TYPE'],
  ['source', [Float32Array.of(1), Int32Array.of(1), 0.5], 'WRONG_TYPE'],
  ['source', [Float32Array.of(1), Float32Array.of(1, 2), 0.5], 'SHAPE_MISMATCH'],
  ['decay', [Float32Array.of(1), Float32Array.of(1), 1.5], 'OUT_OF_RANGE'],
  ['decay', [Float32Array.of(1), Float32Array.of(1), Number.NaN], 'OUT_OF_RANGE'],
  ['decay', [Float32Array.of(1), Float32Array.of(1)], 'WRONG_TYPE'],
])('an invalid %s is refused', (argument, call, code) => {
  expect(
    refusal(() => updateAverage(...wrong<Parameters<typeof updateAverage>>(call))),
  ).toMatchObject({
    argument,
    code,
  });
});
