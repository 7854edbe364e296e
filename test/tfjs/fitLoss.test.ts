import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import {
  FeatureDistillationStrategy,
  HybridDistillationStrategy,
  LinearProjection,
  ResponseDistillationStrategy,
} from '../../src/index.js';
import { distillationLoss, fitLoss } from '../../src/tfjs/index.js';
import { refusal, wrong } from '../support/refusal.js';
import { expectClose, onEachBackend, values } from './backends.js';

const response = () => new ResponseDistillationStrategy({ temperature: 2 });

onEachBackend(() => {
  test('it takes the teacher first, as losses of TensorFlow.js do', () => {
    tf.tidy(() => {
      const [student, teacher] = [values([6, 5], 0.5), values([6, 5], 2)];
      const expected = distillationLoss(tf, response())(student, teacher);
      expectClose(fitLoss(tf, response())(teacher, student), expected);
    });
  });

  test('model.fit learns from the teacher’s logits', async () => {
    const inputs = values([64, 4], 1);
    const weights = values([4, 3], 5);
    const teacher = tf.tidy(() => tf.matMul(inputs, weights));
    const dense = tf.layers.dense({ units: 3, inputShape: [4], kernelInitializer: 'zeros' });
    const student = tf.sequential({ layers: [dense] });
    student.compile({ optimizer: tf.train.adam(0.1), loss: fitLoss(tf, response()) });
    const options = { epochs: 1, batchSize: 16, verbose: 0, shuffle: false } as const;
    await student.fit(inputs, teacher, options);
    const before = tf.memory().numTensors;
    const { history } = await student.fit(inputs, teacher, { ...options, epochs: 30 });
    expect(tf.memory().numTensors).toBe(before);
    expect(history.loss?.at(-1)).toBeLessThan(Number(history.loss?.[0]) / 10);
    // The remaining difference is a constant per row.
    tf.tidy(() => {
      const said = student.predict(inputs) as tf.Tensor;
      const agreeing = tf.equal(tf.argMax(said, 1), tf.argMax(teacher, 1));
      expect(tf.mean(tf.cast(agreeing, 'float32')).dataSync()[0]).toBeGreaterThan(0.95);
      const loss = student.evaluate(inputs, teacher, { batchSize: 64 }) as tf.Scalar;
      expectClose(loss, distillationLoss(tf, response())(said, teacher));
    });
    tf.dispose([inputs, weights, teacher]);
    student.dispose();
  });

  test('labels go to an output of their own', async () => {
    const inputs = values([16, 4], 1);
    const weights = values([4, 3], 5);
    const teacher = tf.tidy(() => tf.matMul(inputs, weights));
    const labels = tf.tidy(() => tf.oneHot(tf.argMax(teacher, 1), 3));
    const input = tf.input({ shape: [4] });
    const logits = tf.layers.dense({ units: 3, kernelInitializer: 'zeros' }).apply(input);
    const classes = tf.layers.activation({ activation: 'softmax' }).apply(logits);
    const model = tf.model({
      inputs: input,
      outputs: [logits as tf.SymbolicTensor, classes as tf.SymbolicTensor],
    });
    const loss = [fitLoss(tf, response()), tf.metrics.categoricalCrossentropy];
    model.compile({ optimizer: tf.train.adam(0.1), loss });
    const options = { epochs: 20, batchSize: 16, verbose: 0 } as const;
    const { history } = await model.fit(inputs, [teacher, labels], options);
    expect(history.loss?.at(-1)).toBeLessThan(Number(history.loss?.[0]) / 2);
    tf.dispose([inputs, weights, teacher, labels]);
    model.dispose();
  });
});

test('a strategy with a projection is refused, since model.fit would not step it', () => {
  const projection = new LinearProjection(2, 3);
  const before = tf.memory().numTensors;
  const { message, code } = refusal(() =>
    fitLoss(tf, new FeatureDistillationStrategy({ projection })),
  );
  expect(code).toBe('UNAVAILABLE');
  expect(message).toBe(
    'fitLoss: strategy must learn nothing of its own, got one with parameters, which model.fit would not step; ' +
      'make the projection a layer of the model, or use distill',
  );
  expect(tf.memory().numTensors).toBe(before);
});

test('a hybrid with an entry bound to a layer is refused, since model.fit gives a loss one output', () => {
  const hybrid = new HybridDistillationStrategy([
    { strategy: response(), weight: 1, layer: 'logits' },
  ]);
  expect(refusal(() => fitLoss(tf, hybrid))).toMatchObject({
    code: 'LAYER',
    message:
      'fitLoss: strategy must have no entry that is bound to a layer, got a hybrid that has; ' +
      'model.fit gives a loss one output: use distill, or distillationLoss',
  });
});

test('its errors name fitLoss', () => {
  const loss = fitLoss(tf, response());
  tf.tidy(() => {
    const [floats, integers] = [tf.zeros([1, 3]), tf.zeros([1, 3], 'int32')];
    for (const call of [
      () => fitLoss(wrong<typeof tf>(undefined), response()),
      () => fitLoss(tf, wrong(undefined)),
      () => loss(floats, integers),
    ]) {
      expect(refusal(call)).toMatchObject({ operation: 'fitLoss' });
    }
  });
});
