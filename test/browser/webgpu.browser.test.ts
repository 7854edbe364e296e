import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-webgpu';
import { expect, test } from 'vitest';
import {
  FeatureDistillationStrategy,
  HybridDistillationStrategy,
  ResponseDistillationStrategy,
} from '../../src/index.js';
import { distill, distillationLossAsync } from '../../src/tfjs/index.js';
import { responseRows, values } from '../tfjs/backends.js';

const [temperature, alpha] = [3, 0.3];
const hybrid = new HybridDistillationStrategy([
  { strategy: new ResponseDistillationStrategy({ temperature, alpha }), weight: 0.6 },
  { strategy: new FeatureDistillationStrategy(), weight: 0.4, layer: 'hidden' },
]);

/** A network of two layers and its teacher, on the current backend. */
function network() {
  const weights = tf.tidy(() =>
    [values([3, 5], 3, 0.7), values([5, 4], 4, 0.7)].map((initial) => tf.variable(initial)),
  );
  const inputs = values([6, 3], 1);
  const student = () => {
    const hidden = tf.tanh(tf.matMul(inputs, weights[0]!));
    return { output: tf.matMul(hidden, weights[1]!), hidden };
  };
  const teacher = { output: values([6, 4], 5), hidden: values([6, 5], 6) };
  const labels = tf.tensor1d([3, 0, 1, 1, 2, 0], 'int32');
  return { weights, inputs, student, teacher, labels };
}

/** The value and the gradients with respect to the weights, as arrays. */
async function numbersOf(loss: () => tf.Scalar, weights: tf.Variable[]): Promise<number[][]> {
  const { value, grads } = tf.variableGrads(loss, weights);
  const tensors = [value, ...weights.map(({ name }) => grads[name]!)];
  const numbers = await Promise.all(tensors.map(async (tensor) => [...(await tensor.data())]));
  tf.dispose(tensors);
  return numbers;
}

test('on WebGPU, the asynchronous form has the gradients of the operations on the cpu backend', async () => {
  expect(await tf.setBackend('cpu')).toBe(true);
  const onCPU = network();
  const expected = await numbersOf(() => {
    const { output, hidden } = onCPU.student();
    const oneHot = tf.oneHot(onCPU.labels, 4);
    const rows = responseRows(output, onCPU.teacher.output, oneHot, temperature, alpha);
    const squares = tf.mean(tf.squaredDifference(hidden, onCPU.teacher.hidden));
    return tf.add<tf.Scalar>(tf.mul(tf.mean(rows), 0.6), tf.mul(squares, 0.4));
  }, onCPU.weights);
  tf.disposeVariables();

  // The tensors of this computation are on the graphics card, or on its software substitute.
  expect(await tf.setBackend('webgpu')).toBe(true);
  const { weights, student, teacher, labels } = network();
  const loss = distillationLossAsync(tf, hybrid);
  const before = tf.memory().numTensors;
  const actual = await numbersOf(await loss(student, teacher, labels), weights);
  expect(tf.memory().numTensors).toBe(before);
  actual.forEach((numbers, i) => {
    expect(numbers).toHaveLength(expected[i]!.length);
    numbers.forEach((number, j) => {
      expect(Math.abs(number - expected[i]![j]!)).toBeLessThan(1e-6);
    });
  });
});

test('on WebGPU, distill trains as on the cpu backend', async () => {
  const train = async (backend: string) => {
    expect(await tf.setBackend(backend)).toBe(true);
    const { weights, inputs, teacher, labels } = network();
    const { history } = await distill(tf, {
      teacher,
      student: (x) => {
        const layer = tf.tanh(tf.matMul(x, weights[0]!));
        return { output: tf.matMul(layer, weights[1]!), hidden: layer };
      },
      variables: weights,
      strategy: hybrid,
      optimizer: tf.train.sgd(0.5),
      data: inputs,
      labels,
      epochs: 3,
      batchSize: 4,
      validation: { data: inputs, teacher, labels },
    });
    tf.disposeVariables();
    return history;
  };
  const [actual, expected] = [await train('webgpu'), await train('cpu')];
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, numbers] of Object.entries(expected)) {
    numbers.forEach((number, epoch) => {
      expect(actual[name]![epoch]).toBeCloseTo(number, 5);
    });
  }
});
