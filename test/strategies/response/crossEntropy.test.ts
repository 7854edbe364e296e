import { describe, expect, test } from 'vitest';
import {
  CrossEntropyDistillationStrategy,
  HybridDistillationStrategy,
  IGNORE_INDEX,
  Matrix,
  ResponseDistillationStrategy,
  SparseTargets,
  UNLABELED,
} from '../../../src/index.js';
import { proveStrategy } from '../../prove/index.js';
import { matrix } from '../../support/float64Matrix.js';
import { refusal, wrong } from '../../support/refusal.js';
import { labeled } from './_cases.js';

proveStrategy(CrossEntropyDistillationStrategy, {
  'by default': labeled(() => new CrossEntropyDistillationStrategy(), {
    readsTeacher: false,
    temperatures: false,
  }),
});

describe('CrossEntropyDistillationStrategy', () => {
  const strategy = new CrossEntropyDistillationStrategy<Float64Array>();
  // softmax: [3/4, 1/4]
  const student = matrix([Math.log(3), 0]);

  test('agrees with a computation by hand, without a teacher', () => {
    const { loss, gradient } = strategy.computeLossAndGradient(
      student,
      undefined,
      Int32Array.of(1),
    );
    expect(loss).toBeCloseTo(Math.log(4), 15);
    expect(gradient.get(0, 0)).toBeCloseTo(0.75, 15);
    expect(gradient.get(0, 1)).toBeCloseTo(-0.75, 15);
    expect(strategy.computeLoss(student, undefined, Int32Array.of(0))).toBeCloseTo(
      Math.log(4 / 3),
      15,
    );
    const soft = matrix([0.5, 0.5]);
    const expected = 0.5 * Math.log(4) + 0.5 * Math.log(4 / 3);
    expect(strategy.computeLoss(student, undefined, soft)).toBeCloseTo(expected, 15);
    expect(strategy.computeGradient(student, undefined, soft).get(0, 0)).toBeCloseTo(0.25, 15);
  });

  test('does not read a teacher', () => {
    const nowhere = matrix([Number.NaN, Infinity]);
    const label = Int32Array.of(0);
    const alone = strategy.computeLoss(student, undefined, label);
    expect(strategy.computeLoss(student, nowhere, label)).toBe(alone);
    expect(strategy.computeLoss(student, matrix([1, 2, 3]), label)).toBe(alone);
  });

  test('is accepted in a hybrid beside a sparse teacher', () => {
    const logits = matrix([1, 0, 2], [0, 3, -1]);
    const teacher = SparseTargets.topK(matrix([2, 0, 1], [0, 1, 4]), 2);
    const labels = Int32Array.of(2, 0);
    const response = new ResponseDistillationStrategy<Float64Array>({ temperature: 1, alpha: 0 });
    const hybrid = new HybridDistillationStrategy<Float64Array>([
      { strategy, weight: 0.5 },
      { strategy: response, weight: 0.5 },
    ]);
    const expected = strategy.computeLoss(logits, undefined, labels) / 2;
    expect(hybrid.computeLoss(logits, teacher, labels)).toBeCloseTo(
      expected + response.computeLoss(logits, teacher, labels) / 2,
      14,
    );
  });

  test('is the hard loss of a response strategy at alpha = 1', () => {
    const logits = Matrix.fromRows([
      [0.5, -1, 2, 0],
      [1, 1, 0, -3],
    ]);
    const labels = Int32Array.of(3, 1);
    const response = new ResponseDistillationStrategy({ alpha: 1 });
    const single = new CrossEntropyDistillationStrategy();
    expect(single.computeLoss(logits, undefined, labels)).toBeCloseTo(
      response.computeLoss(logits, logits.zerosLike(), labels),
      6,
    );
  });

  test.each([
    ['no labels', undefined, {}],
    ['a row without a label', Int32Array.of(UNLABELED), { row: 0 }],
  ])('%s', (_, labels, place) => {
    const ask = () => strategy.computeLoss(student, undefined, labels);
    const required = { code: 'LABEL_REQUIRED', argument: 'labels', ...place };
    expect(refusal(ask)).toMatchObject(required);
  });

  test('refuses labels in place of the teacher', () => {
    const hint = 'labels are the third argument: pass undefined for the teacher';
    const labels = Int32Array.of(1);
    for (const wrongly of [wrong<Matrix<Float64Array>>(labels), matrix([0, 1])]) {
      expect(refusal(() => strategy.computeLoss(student, wrongly)).message).toContain(hint);
    }
  });

  test('excludes ignored rows, and accepts no rows', () => {
    expect(strategy.computeLoss(student, undefined, Int32Array.of(IGNORE_INDEX))).toBe(0);
    const none = new Matrix(new Float64Array(0), 0, 2);
    expect(strategy.computeLoss(none, undefined)).toBe(0);
  });

  test('refuses a label that the student rules out', () => {
    const out = matrix([-Infinity, 0]);
    const ask = () => strategy.computeLoss(out, undefined, Int32Array.of(0));
    expect(refusal(ask)).toMatchObject({ code: 'RULED_OUT', row: 0, column: 0 });
    expect(strategy.computeLoss(out, undefined, Int32Array.of(1))).toBe(0);
  });
});
