import { expect, test } from 'vitest';
import { averageHeads, Matrix, ResponseDistillationStrategy } from '../../src/index.js';
import { refusal, wrong } from '../support/refusal.js';

// Each hint is followed on the value that raised it.

const heads = averageHeads(1);
const refused = (matrix: unknown) => refusal(() => heads.apply(wrong<Matrix>(matrix))).message;

test.each<[string, unknown, string, (value: never) => Matrix]>([
  ['rows', [[1, 2]], 'Matrix.fromRows(matrix)', (value) => Matrix.fromRows(value)],
  ['one row', [1, 2], 'Matrix.fromRows([matrix])', (value) => Matrix.fromRows([value])],
  [
    'a typed array',
    Float32Array.of(1, 2),
    'new Matrix(matrix, rows, columns)',
    (value) => new Matrix(value, 1, 2),
  ],
  [
    'a tensor of an inference runtime',
    { data: Float32Array.of(1, 2), dims: [1, 2] },
    'Matrix.fromTensor(matrix)',
    (value) => Matrix.fromTensor(value),
  ],
])('%s in the place of a matrix', (_, value, hint, follow) => {
  expect(refused(value).endsWith(`; use ${hint}`)).toBe(true);
  expect(heads.apply(follow(wrong(value))).toRows()).toEqual([[1, 2]]);
});

test('a tensor of a framework is for the entry point of that framework', () => {
  const tensor = { data: () => Promise.resolve(Float32Array.of(1, 2)), shape: [1, 2] };
  expect(refused(tensor)).toContain('use knowledge-distillation/tfjs');
});

test.each([null, undefined, 3, {}, []])('there is no hint for %o', (value) => {
  expect(refused(value)).toMatch(/must be a Matrix, got [^;]*$/);
});

test.each([
  ['temprature', 'temperature'],
  ['temperatures', 'temperature'],
  ['tempereture', 'temperature'],
  ['aplha', 'alpha'],
  ['Alpha', 'alpha'],
])('%s is taken for a misspelt %s', (key, name) => {
  const call = () => new ResponseDistillationStrategy(wrong<object>({ [key]: 1 }));
  expect(refusal(call).message).toContain(`unknown option "${key}"; did you mean "${name}"? Known`);
  expect(() => new ResponseDistillationStrategy({ [name]: 1 })).not.toThrow();
});

test('a key that is like none is answered with all that there are', () => {
  const call = () => new ResponseDistillationStrategy(wrong<object>({ label: 1 }));
  expect(refusal(call).message).toMatch(/: unknown option "label"; known options: temperature, /);
});
