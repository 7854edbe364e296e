import { IGNORE_INDEX, ResponseDistillationStrategy, SparseTargets } from 'knowledge-distillation';
import { describe, expect, test } from 'vitest';
import { Random } from '../../examples/shared/random.js';
import { countLabels, type TokenBatch, TokenStudent } from '../../examples/shared/tokenStudent.js';
import { Matrix } from '../../src/index.js';

const size = { vocabulary: 7, context: 2, embedding: 3, hidden: 4 };
const strategy = new ResponseDistillationStrategy({ temperature: 1, alpha: 0.3, tail: 'bucket' });

/** Two sequences of three and two rows; the first row of the second one has no label. */
function makeBatch(): TokenBatch {
  const random = new Random(1, 'batch');
  const logits = Matrix.zeros(5, size.vocabulary);
  for (let i = 0; i < logits.data.length; i++) logits.data[i] = 2 * random.normal();
  return {
    offsets: Int32Array.of(0, 3, 5),
    tokens: Int32Array.of(0, 4, 2, 0, 4),
    labels: Int32Array.of(4, 2, 6, IGNORE_INDEX, 1),
    targets: SparseTargets.topK(logits, 3),
  };
}

const makeStudent = () => {
  const student = new TokenStudent(size, new Random(2, 'student'));
  const random = new Random(3, 'biases');
  for (const { data } of student.parameters) {
    for (let i = 0; i < data.length; i++) data[i]! += 0.3 * random.normal();
  }
  return student;
};

describe('the token student', () => {
  test('has a gradient that is the derivative of its loss', () => {
    const batch = makeBatch();
    const student = makeStudent();
    const { gradients } = student.evaluate(strategy, batch);
    const h = 2 ** -7;
    student.parameters.forEach(({ data }, parameter) => {
      for (let i = 0; i < data.length; i++) {
        const value = data[i]!;
        const lossAt = (at: number) => {
          data[i] = at;
          return student.evaluate(strategy, batch).loss;
        };
        const difference = (lossAt(value + h) - lossAt(value - h)) / (2 * h);
        data[i] = value;
        expect(gradients[parameter]![i], `parameter ${parameter}, number ${i}`).toBeCloseTo(
          difference,
          3,
        );
      }
    });
  });

  test('has the loss of its logits', () => {
    const batch = makeBatch();
    const student = makeStudent();
    const { loss } = student.evaluate(strategy, batch);
    const logits = student.logits(batch);
    expect(loss).toBeCloseTo(strategy.computeLoss(logits, batch.targets, batch.labels), 5);
    expect(student.parameterCount).toBe(7 * 3 + 6 * 4 + 4 + 4 * 7 + 7);
  });

  test('reads neither the previous sequence nor later tokens', () => {
    const batch = makeBatch();
    const student = makeStudent();
    const logits = student.logits(batch);
    expect(logits.row(4)).toEqual(logits.row(1)); // both have read 0 and 4
    const tokens = batch.tokens.slice();
    tokens[2] = 5;
    const others = student.logits({ ...batch, tokens });
    expect(others.row(1)).toEqual(logits.row(1));
    expect(others.row(2)).not.toEqual(logits.row(2));
  });

  test('adds up over batches with one normalizer', () => {
    const batch = makeBatch();
    const student = makeStudent();
    const whole = student.evaluate(strategy, batch);
    const rows = (from: number, to: number): TokenBatch => ({
      offsets: Int32Array.of(0, to - from),
      tokens: batch.tokens.subarray(from, to),
      labels: batch.labels.subarray(from, to),
      targets: new SparseTargets({
        indices: batch.targets.indices.subarray(3 * from, 3 * to),
        logProbabilities: new Matrix(
          batch.targets.values.data.subarray(3 * from, 3 * to),
          to - from,
          3,
        ),
        columns: size.vocabulary,
      }),
    });
    expect(countLabels(batch)).toBe(4);
    const parts = [rows(0, 3), rows(3, 5)].map((part) => student.evaluate(strategy, part, 4));
    expect(parts[0]!.loss + parts[1]!.loss).toBeCloseTo(whole.loss, 5);
    whole.gradients.forEach((gradient, parameter) => {
      gradient.forEach((value, i) => {
        const [first, second] = parts.map(({ gradients }) => gradients[parameter]![i]!);
        expect(first! + second!).toBeCloseTo(value, 5);
      });
    });
  });
});
