import { describe, expect, test } from 'vitest';
import {
  BinaryDistillationStrategy,
  DecoupledDistillationStrategy,
  LogitMSEDistillationStrategy,
  Matrix,
  ResponseDistillationStrategy,
  SparseTargets,
  TotalVariationDistillationStrategy,
} from '../../src/index.js';
import { refusal } from '../support/refusal.js';

// With probabilities in place of logits, the student would learn to be uncertain.

const logits = Matrix.fromRows([
  [4, 0, -2],
  [-1, 0.5, 3],
]);
const probabilities = Matrix.fromRows([
  [0.98, 0.02, 0],
  [0.02, 0.08, 0.9],
]);
const strategies = [
  new ResponseDistillationStrategy(),
  new TotalVariationDistillationStrategy(),
  new DecoupledDistillationStrategy(),
];
const labels = Int32Array.of(0, 2);

describe.each(strategies)('$name', (strategy) => {
  test('refuses probabilities of the teacher and of the student', () => {
    expect(refusal(() => strategy.computeLoss(logits, probabilities, labels))).toMatchObject({
      code: 'PROBABILITIES',
      argument: 'teacher',
      message: `${strategy.name}.computeLoss: teacher must hold logits, got probabilities in every row; pass the values before the softmax, or Math.log of the probabilities`,
    });
    const ask = () => strategy.computeGradient(probabilities, logits, labels);
    expect(refusal(ask)).toMatchObject({ code: 'PROBABILITIES', argument: 'student' });
  });

  test('accepts the logits that the hint asks for', () => {
    const logs = new Matrix(probabilities.data.map(Math.log), 2, 3);
    expect(strategy.computeLoss(logits, logs, labels)).toBeGreaterThan(0);
  });
});

test('sparse targets are refused if they are made of probabilities', () => {
  for (const make of [
    () => SparseTargets.topK(probabilities, 2),
    () => SparseTargets.sample(probabilities, { samples: 8, seed: 1 }),
  ]) {
    expect(refusal(make)).toMatchObject({ code: 'PROBABILITIES', argument: 'logits' });
  }
  expect(refusal(() => SparseTargets.sample(logits, { samples: 2 ** 40, seed: 1 }))).toMatchObject({
    code: 'OUT_OF_RANGE',
    argument: 'samples',
  });
});

describe('Input that may be logits is accepted:', () => {
  const response = new ResponseDistillationStrategy();
  const accepts = (...rows: number[][]) => {
    const teacher = Matrix.fromRows(rows);
    expect(() => response.computeLoss(teacher.zerosLike(), teacher)).not.toThrow();
  };

  test('a single row, and rows of two columns', () => {
    accepts([0.98, 0.02, 0]);
    accepts([0.75, 0.25], [0.5, 0.5]);
    accepts([0.98, 0.02, 0], [0.98, 0.02, 0]);
  });

  test('rows of which one is no distribution', () => {
    accepts([0.98, 0.02, 0], [0.98, 0.03, 0]);
    accepts([0.98, 0.02, 0], [1, 0.5, -0.5]);
  });

  test('rows of equal logits', () => {
    accepts([0.25, 0.25, 0.25, 0.25], [0.25, 0.25, 0.25, 0.25]);
  });

  test('probabilities of which a row is excluded', () => {
    const options = { mask: [0, 1] };
    const ask = () => response.computeLoss(logits, probabilities, undefined, options);
    expect(ask).not.toThrow();
  });

  test('probabilities for a loss without softmax', () => {
    for (const strategy of [new LogitMSEDistillationStrategy(), new BinaryDistillationStrategy()]) {
      expect(() => strategy.computeLoss(logits, probabilities)).not.toThrow();
    }
  });
});
