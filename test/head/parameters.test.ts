import { describe, expect, test } from 'vitest';
import {
  computeThroughHead,
  FeatureDistillationStrategy,
  type HeadLogits,
  LinearProjection,
  Matrix,
} from '../../src/index.js';
import { refusal } from '../support/refusal.js';
import { wave } from '../support/wave.js';

const [ROWS, WIDTH, COLUMNS] = [6, 3, 5];

const student: HeadLogits = {
  hidden: wave(ROWS, WIDTH, 0),
  weight: wave(WIDTH, COLUMNS, 1),
};
const targets = wave(ROWS, WIDTH, 2);

/** A loss with parameters, for the logits of the head. */
function learner() {
  const projection = new LinearProjection(COLUMNS, WIDTH, { seed: 3 });
  const [{ value, gradient } = expect.unreachable()] = projection.parameters();
  return { strategy: new FeatureDistillationStrategy({ projection }), value, gradient };
}

describe('computeThroughHead with a strategy that learns', () => {
  test.each([1, 2, 100])(
    'accumulates into the gradients of its parameters, in chunks of %i',
    (chunkRows) => {
      const { strategy, gradient } = learner();
      computeThroughHead(strategy, student, targets, undefined, { chunkRows });
      const once = Array.from(gradient.data);
      expect(once.some((value) => value !== 0)).toBe(true);
      computeThroughHead(strategy, student, targets, undefined, { chunkRows });
      expect(Array.from(gradient.data)).toEqual(once); // overwritten by the second call
      const options = { chunkRows, accumulate: true };
      computeThroughHead(strategy, student, targets, undefined, options);
      expect(Array.from(gradient.data)).toEqual(once.map((value) => 2 * value));
    },
  );

  test('refuses a sum that overflows, and leaves all gradients as they were', () => {
    const { strategy, gradient } = learner();
    // Each addend is finite in float32, but their sum is not.
    const options = { normalizer: 1e-38 };
    computeThroughHead(strategy, student, targets, undefined, options);
    for (let i = 0; i < gradient.data.length; i++) {
      gradient.data[i] = Math.sign(gradient.data[i]!) * gradient.numeric.largest;
    }
    const before = gradient.clone();
    const gradients = { weight: wave(WIDTH, COLUMNS, 9) };
    const more = { ...options, accumulate: true, gradients };
    const error = refusal(() => computeThroughHead(strategy, student, targets, undefined, more));
    expect(error).toMatchObject({
      code: 'OVERFLOW',
      operation: 'computeThroughHead',
      argument: 'gradient of weight',
      row: 0,
      column: 0,
    });
    expect(gradient).toEqual(before);
    expect(gradients.weight).toEqual(wave(WIDTH, COLUMNS, 9));
  });

  test.each(['value', 'gradient'] as const)('refuses to write into the %s of a parameter', (of) => {
    const { strategy, ...parameter } = learner();
    const { data } = parameter[of];
    const before = Array.from(data);
    const gradients = { weight: new Matrix(data, WIDTH, COLUMNS) };
    const error = refusal(() =>
      computeThroughHead(strategy, student, targets, undefined, { gradients }),
    );
    expect(error).toMatchObject({ code: 'OVERLAP', argument: 'gradients.weight' });
    const name = of === 'value' ? 'weight' : 'the gradient of weight';
    expect(error.message).toContain(`must share no memory with ${name}, got a view on it`);
    expect(Array.from(data)).toEqual(before);
  });
});

describe('computeThroughHead refuses a gradient that is too large', () => {
  // The logits are moderate, but d weight is a multiple of hidden, which is large.
  const hidden = Matrix.fromRows(Array.from({ length: ROWS }, () => [1, 2e38, 3]));
  const weight = Matrix.fromRows([
    [1, 2, 3, 4, 5],
    [0, 0, 0, 0, 0],
    [5, 1, 2, 2, 1],
  ]);
  const zeros = Matrix.zeros(ROWS, COLUMNS);
  const strategy = new FeatureDistillationStrategy();

  test.each([1, 2, 100])('of the weight, in chunks of %i', (chunkRows) => {
    const options = { chunkRows, normalizer: 1 };
    const call = () => computeThroughHead(strategy, { hidden, weight }, zeros, undefined, options);
    expect(refusal(call)).toMatchObject({
      code: 'OVERFLOW',
      operation: 'computeThroughHead',
      argument: 'gradients.weight',
      row: 1,
      column: 0,
    });
  });

  test('and leaves the accumulated gradients as they were', () => {
    const gradients = { weight: wave(WIDTH, COLUMNS, 9) };
    const options = { gradients, accumulate: true, normalizer: 1 };
    const call = () => computeThroughHead(strategy, { hidden, weight }, zeros, undefined, options);
    expect(refusal(call).argument).toBe('gradients.weight');
    expect(gradients.weight).toEqual(wave(WIDTH, COLUMNS, 9));
  });
});
