import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import {
  FeatureDistillationStrategy,
  HybridDistillationStrategy,
  LinearProjection,
  ResponseDistillationStrategy,
} from '../../src/index.js';
import { distillationLoss, distillationLossAsync } from '../../src/tfjs/index.js';
import { wrong } from '../support/refusal.js';
import { expectClose, onAsynchronousBackend, onEachBackend, values } from './backends.js';

const response = () => new ResponseDistillationStrategy({ temperature: 3, alpha: 0.3 });

onEachBackend(() => {
  test('returns the value and the gradients of the synchronous form', async () => {
    const weights = tf.tidy(() => tf.variable(values([3, 5], 3)));
    const [inputs, teacher] = [values([2, 4, 3], 1), values([2, 4, 5], 2)];
    const labels = tf.tensor2d([1, 0, 4, 2, 2, 3, 0, 1], [2, 4], 'int32');
    const mask = tf.tensor2d([1, 1, 0, 1, 1, 0, 0, 1], [2, 4], 'bool');
    const student = () => tf.reshape(tf.matMul(tf.reshape(inputs, [8, 3]), weights), [2, 4, 5]);
    const loss = distillationLoss(tf, response());
    const lossAsync = distillationLossAsync(tf, response());
    const before = tf.memory().numTensors;
    const later = await lossAsync(student, teacher, labels, { mask, normalizer: 3 });
    expect(tf.memory().numTensors).toBe(before);
    tf.tidy(() => {
      const actual = tf.variableGrads(later, [weights]);
      const now = () => loss(student(), teacher, labels, { mask, normalizer: 3 });
      const expected = tf.variableGrads(now, [weights]);
      expect(actual.value.dataSync()).toEqual(expected.value.dataSync());
      expectClose(actual.grads[weights.name]!, expected.grads[weights.name]!);
    });
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([weights, inputs, teacher, labels, mask]);
  });

  test('trains a hybrid by layers with its projection, and leaves no tensor', async () => {
    const projection = new LinearProjection(5, 4, { seed: 1 });
    const hybrid = new HybridDistillationStrategy([
      { strategy: response(), weight: 0.5, name: 'response' },
      { strategy: new FeatureDistillationStrategy({ projection }), weight: 0.5, layer: 'hidden' },
    ]);
    const before = tf.memory().numTensors;
    const loss = distillationLossAsync(tf, hybrid);
    const projected = [...loss.variables[0]!.dataSync()];
    const weights = tf.tidy(() => tf.variable(values([3, 5], 3)));
    const inputs = values([2, 3], 1);
    const teacher = { output: values([2, 5], 5), hidden: values([2, 4], 6) };
    const student = () => {
      const output = tf.matMul(inputs, weights);
      return { output, hidden: tf.tanh(output) };
    };
    const optimizer = tf.train.sgd(0.2);
    const losses: number[] = [];
    let tensors = 0;
    for (let step = 0; step < 50; step++) {
      const cost = optimizer.minimize(await loss(student, teacher), true)!;
      losses.push(cost.dataSync()[0]!);
      cost.dispose();
      if (step === 0) tensors = tf.memory().numTensors;
    }
    expect(tf.memory().numTensors).toBe(tensors);
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
    expect(losses.at(-1)).toBeCloseTo(
      loss.components.reduce((sum, { weighted }) => sum + weighted, 0),
      5,
    );
    expect([...loss.variables[0]!.dataSync()]).not.toEqual(projected);
    tf.dispose([weights, inputs]);
    tf.dispose(teacher);
    optimizer.dispose();
    loss.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('concurrent calls do not mix their values, nor their gradients of parameters', async () => {
    const projection = new LinearProjection(5, 4, { seed: 1 });
    const loss = distillationLossAsync(tf, new FeatureDistillationStrategy({ projection }));
    const [variable] = loss.variables as [tf.Variable];
    const pairs = [0.5, 1.5].map(
      (phase) => [values([3, 5], phase), values([3, 4], phase)] as const,
    );
    const gradient = (later: () => tf.Scalar) =>
      tf.tidy(() => tf.keep(tf.variableGrads(later, [variable]).grads[variable.name]!));
    const together = await Promise.all(
      pairs.map(([student, teacher]) => loss(() => student, teacher)),
    );
    for (const [i, [student, teacher]] of pairs.entries()) {
      const alone = await loss(() => student, teacher);
      const [actual, expected] = [gradient(together[i]!), gradient(alone)];
      expectClose(actual, expected, 1e-12);
      tf.dispose([actual, expected]);
    }
    tf.dispose(pairs.flat());
    loss.dispose();
  });

  test('does not dispose tensors of the caller that the function returns', async () => {
    const [student, teacher] = [values([6, 5], 0.5), values([6, 5], 2)];
    await distillationLossAsync(tf, response())(() => student, teacher);
    expect(student.isDisposed).toBe(false);
    tf.dispose([student, teacher]);
  });

  test('leaves no tensor if the strategy refuses the call', async () => {
    const teacher = values([6, 4], 2);
    const before = tf.memory().numTensors;
    const call = distillationLossAsync(tf, response())(() => values([6, 5], 0.5), teacher);
    await expect(call).rejects.toThrow('teacher has shape [6, 4], expected [6, 5]');
    expect(tf.memory().numTensors).toBe(before);
    teacher.dispose();
  });

  test('refuses a second pass with other dimensions of rows', async () => {
    const teacher = values([2, 3, 5], 2);
    let shape = [2, 3, 5];
    const later = await distillationLossAsync(tf, response())(() => values(shape, 0.5), teacher);
    shape = [3, 2, 5];
    expect(() => tf.tidy(later)).toThrow(
      'student.output has shape [3, 2, 5], expected [2, 3, 5] (that of the first pass)',
    );
    teacher.dispose();
  });

  test('accepts any layer that no entry reads, as the synchronous form does', async () => {
    const hybrid = new HybridDistillationStrategy([{ strategy: response(), weight: 1 }]);
    const before = tf.memory().numTensors;
    const disposed = tf.zeros([1]);
    disposed.dispose();
    const teacher = { output: values([6, 5], 2) };
    const student = { output: values([6, 5], 0.5), tokens: tf.tensor1d([1, 2], 'int32'), disposed };
    const later = await distillationLossAsync(tf, hybrid)(() => student, teacher);
    const expected = distillationLoss(tf, hybrid)(student, teacher);
    const actual = later();
    expectClose(actual, expected, 1e-12);
    tf.dispose([student.output, student.tokens, teacher.output, actual, expected]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('refuses a second pass of another size', async () => {
    const teacher = values([6, 5], 2);
    let rows = 6;
    const loss = distillationLossAsync(tf, response());
    const later = await loss(() => values([rows, 5], 0.5), teacher);
    rows = 7;
    expect(() => tf.tidy(later)).toThrow(
      'student.output has shape [7, 5], expected [6, 5] (that of the first pass)',
    );
    teacher.dispose();
  });
});

test('requires a function', async () => {
  const loss = distillationLossAsync(tf, response());
  const call = loss(wrong(tf.zeros([1, 2])), tf.zeros([1, 2]));
  await expect(call).rejects.toThrow(
    'distillationLossAsync: forward must be a function that returns the output, got an object',
  );
});

test.each<[string, () => unknown]>([
  ['undefined', () => undefined],
  ['null', () => null],
  ['an object of type Promise', async () => tf.zeros([1, 2])],
  ['an array', () => [tf.zeros([1, 2])]],
])('refuses a function that returns %s, and leaves no tensor', async (received, forward) => {
  const hybrid = new HybridDistillationStrategy([{ strategy: response(), weight: 1 }]);
  const teacher = tf.zeros([1, 2]);
  const before = tf.memory().numTensors;
  const calls = [
    distillationLossAsync(tf, response())(wrong(forward), teacher),
    distillationLossAsync(tf, hybrid)(wrong(forward), { output: teacher }),
  ];
  for (const call of calls) {
    await expect(call).rejects.toThrow(TypeError);
    await expect(call).rejects.toThrow(
      `distillationLossAsync: student must be a tensor or tensors by layer, got ${received}`,
    );
  }
  expect(tf.memory().numTensors).toBe(before);
});

onAsynchronousBackend(() => {
  const read = async (tensor: tf.Tensor) => [...(await tensor.data())];

  test('the synchronous form names the asynchronous one, takes no step and leaves no tensor', async () => {
    const projection = new LinearProjection(5, 4, { seed: 1 });
    const strategy = new FeatureDistillationStrategy({ projection });
    const loss = distillationLoss(tf, strategy);
    const weights = tf.tidy(() => tf.variable(values([3, 5], 3)));
    const [inputs, teacher] = [values([6, 3], 1), values([6, 4], 2)];
    const learned = [weights, ...loss.variables];
    const optimizer = tf.train.sgd(0.5);
    const [tensors, numbers] = [tf.memory().numTensors, await Promise.all(learned.map(read))];
    const parameters = projection
      .parameters()
      .map(({ value, gradient }) => [value.toRows(), gradient.toRows()]);
    const step = () => tf.tidy(() => loss(tf.matMul(inputs, weights), teacher));
    expect(step).toThrow(
      "distillationLoss: the backend must read synchronously, got 'asynchronous', which says: readSync is not available; " +
        'use distillationLossAsync',
    );
    expect(tf.memory().numTensors).toBe(tensors);
    // In a gradient, TensorFlow.js itself leaks the tensors of its tape after any error.
    expect(() => optimizer.minimize(step)).toThrow('use distillationLossAsync');
    expect(await Promise.all(learned.map(read))).toEqual(numbers);
    expect(
      projection.parameters().map(({ value, gradient }) => [value.toRows(), gradient.toRows()]),
    ).toEqual(parameters);

    // The same step by the asynchronous form.
    const lossAsync = distillationLossAsync(tf, strategy);
    optimizer.minimize(await lossAsync(() => tf.matMul(inputs, weights), teacher));
    expect(await read(weights)).not.toEqual(numbers[0]);
    expect(await read(lossAsync.variables[0]!)).not.toEqual(numbers[1]);
    tf.dispose([weights, inputs, teacher]);
    optimizer.dispose();
    loss.dispose();
    lossAsync.dispose();
  });

  test('the asynchronous form trains', async () => {
    const weights = tf.tidy(() => tf.variable(values([3, 5], 3)));
    const [inputs, teacher] = [values([6, 3], 1), values([6, 5], 2)];
    const loss = distillationLossAsync(tf, response());
    const optimizer = tf.train.sgd(0.5);
    const losses: number[] = [];
    for (let step = 0; step < 50; step++) {
      const cost = optimizer.minimize(await loss(() => tf.matMul(inputs, weights), teacher), true);
      losses.push(...(await read(cost!)));
    }
    expect(losses.at(-1)).toBeLessThan(0.6 * losses[0]!);
  });
});
