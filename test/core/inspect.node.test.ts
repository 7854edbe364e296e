import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { float64, Matrix, SparseTargets } from '../../src/index.js';

test('the console shows a small matrix completely', () => {
  const matrix = Matrix.fromRows([
    [0.1, -2, Number.NaN],
    [1 / 3, 1e30, 123456],
  ]);
  expect(inspect(matrix)).toBe(
    ['Matrix 2 × 3 float32 [', '  [ 0.1, -2, NaN ],', '  [ 0.333333, 1e+30, 123456 ]', ']'].join(
      '\n',
    ),
  );
});

test('the console shows the first rows and columns of a large matrix', () => {
  const matrix = Matrix.zeros(500, 3000, float64);
  matrix.set(5, 5, 7);
  matrix.set(6, 0, 8);
  const lines = inspect({ gradient: matrix }).split('\n');
  expect(lines).toHaveLength(11);
  expect(lines[1]).toBe('  gradient: Matrix 500 × 3000 float64 [');
  expect(lines[2]).toBe('    [ 0, 0, 0, 0, 0, 0, … 2994 more ],');
  expect(lines[7]).toBe('    [ 0, 0, 0, 0, 0, 7, … 2994 more ],');
  expect(lines[8]).toBe('    … 494 more');
});

test('the console shows six rows completely, and shortens seven', () => {
  expect(inspect(Matrix.zeros(6, 1))).not.toContain('more');
  expect(inspect(Matrix.zeros(7, 1))).toContain('  … 1 more\n]');
  expect(inspect(Matrix.zeros(0, 3))).toBe('Matrix 0 × 3 float32 [\n]');
});

test('the console shows a matrix with a transferred buffer', () => {
  const { data } = Matrix.fromRows([[1, 2]]);
  const gone = new Matrix(data, 1, 2);
  structuredClone(data, { transfer: [data.buffer as ArrayBuffer] });
  expect(inspect(gone)).toBe('Matrix 1 × 2 float32 [\n  [ NaN, NaN ]\n]');
});

test('the console shows sparse targets by class', () => {
  const options = { columns: 9, log: true, temperature: 2 };
  const targets = SparseTargets.fromProbabilities([{ 7: -0.5, 2: -2 }, { 4: -1 }], options);
  expect(inspect(targets)).toBe(
    [
      'SparseTargets 2 × 9, k = 2, float32 logProbabilities at temperature 2 [',
      '  [ 7: -0.5, 2: -2 ],',
      '  [ 4: -1, – ]',
      ']',
    ].join('\n'),
  );
  const logits = new SparseTargets({
    indices: Int32Array.of(3),
    logits: Matrix.fromRows([[1.5]], float64),
    columns: 5,
  });
  expect(inspect(logits)).toBe('SparseTargets 1 × 5, k = 1, float64 logits [\n  [ 3: 1.5 ]\n]');
});
